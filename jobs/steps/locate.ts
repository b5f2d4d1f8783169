import { sql } from 'kysely'
import type { CrmContactCompany, CrmFound } from '../../src/core/ports/crm.ts'
import { chooseCandidate } from '../../src/core/sync/choose-candidate.ts'
import type { Properties } from '../../src/core/sync/desired-record.ts'
import type { Ledger } from '../../src/core/sync/ledger.ts'
import { type CrmRecordRow, storeOutcomes } from '../../src/infra/postgres/crm-record-store.ts'
import { ownersOf, withoutClaimed } from './claim-found.ts'
import { recheckCompanies } from './recheck-companies.ts'
import { type ReconcileScope, recordUpdate, type WritingScope } from './reconcile-scope.ts'

/** A record on its way: which CRM record it is, and what we know that to say. */
export interface Located {
  readonly row: CrmRecordRow
  readonly crmId: string | null
  readonly ownerId: string | null
  readonly written: Properties | null
  readonly created: boolean
  readonly candidates: readonly string[] | null
  /** Our own key is not on it. */
  readonly unkeyed: boolean
  readonly ledger: Ledger
  /** As it was when we looked; null once we are at work on it. */
  readonly turn: number | null
  /** What it says, where the look-up told; null where it must be read. */
  readonly said: Said | null
  /** The company that a contact was found under, null without one; undefined where nobody told. */
  readonly company: CrmContactCompany | null | undefined
}

/** Slices look at the CRM side by side, but take records in their order. */
export interface Turn {
  readonly comes: Promise<void>
  readonly pass: () => void
  /** Resolves once nobody else writes records of a company that is in this slice too. */
  readonly free: Promise<void>
}

/**
 * Finds the CRM records of those that have none yet. A record that is another subject's is never taken;
 * several that could be meant are settled as the mapping says.
 */
export async function locate(
  scope: WritingScope,
  rows: readonly CrmRecordRow[],
  turn: Turn,
): Promise<readonly Located[]> {
  const { located, stopped } = await lookFor(scope, rows, turn, async (stopped) => {
    await storeOutcomes(
      scope.context.db,
      scope.crm.name,
      stopped.map(({ at, parked }) => recordUpdate(at, 'parked', { reason: parked })),
    )
  })
  for (const { at, parked } of stopped) park(scope, at.row.ref, parked)
  return withoutClaimed(scope, located)
}

/** A record that cannot be told from others, and why. */
export interface Stopped {
  readonly at: Located
  readonly parked: string
}

/**
 * The same with nothing stored.
 * @param store is called before the next slice has its turn.
 */
export async function lookFor(
  scope: ReconcileScope,
  rows: readonly CrmRecordRow[],
  turn: Turn,
  store: (stopped: readonly Stopped[]) => Promise<void> = async () => {},
): Promise<{ readonly located: readonly Located[]; readonly stopped: readonly Stopped[] }> {
  try {
    const candidates = await findCandidates(scope, rows)
    const rivals = await readRivals(scope, rows, candidates)
    await turn.comes
    const taken = rows.map((row) => take(scope, row, candidates.get(row.ref) ?? [], rivals))
    const stopped = taken.flatMap((one) => ('parked' in one ? [one] : []))
    await store(stopped)
    return { located: taken.flatMap((one) => ('parked' in one ? [] : [one])), stopped }
  } finally {
    turn.pass()
  }
}

export function park(
  scope: ReconcileScope,
  ref: string,
  reason: string,
  correlationId: string | null = null,
): void {
  scope.run.note({ ref, outcome: 'parked', reason, correlationId })
  scope.run.count('parked')
}

async function findCandidates(
  scope: ReconcileScope,
  rows: readonly CrmRecordRow[],
): Promise<ReadonlyMap<string, readonly CrmFound[]>> {
  const lost = rows.filter((row) => row.crmId === null && isFindable(row))
  if (lost.length === 0) return new Map()
  const lookups = lost.map(({ ref, lookup }) => ({ ref, key: ref, ...lookup }))
  const names = propertiesToRead(scope)
  const found = await scope.crm.find(scope.object, lookups, scope.signal, names)
  const candidates = new Map(lost.map((row, index) => [row.ref, found[index] ?? []]))
  if (scope.crm.findsFresh) return candidates
  const none = lost.filter((row) => row.mayCreate && candidates.get(row.ref)?.length === 0)
  for (const [ref, company] of await recheckCompanies(scope, none)) candidates.set(ref, [company])
  return candidates
}

/** What is read of a record before it is written: our key, and what it is to say. */
export function propertiesToRead({ rules }: ReconcileScope): readonly string[] {
  return [rules.key.property, ...Object.keys(rules.properties)]
}

/** Somebody without an address was never in the CRM, and cannot be found there. */
function isFindable(row: CrmRecordRow): boolean {
  return row.mayCreate || row.lookup.emails.length > 0 || row.lookup.domains.length > 0
}

/** Who has which CRM record, as far as the database and the records themselves say. */
interface Rivals {
  /** Subject by CRM id of the records that were written to already. */
  readonly owners: ReadonlyMap<string, string>
  /** CRM id by subject, of the subjects whose keys stand on records. */
  readonly keyed: ReadonlyMap<string, string | null>
  /** What each record says that was merged, or that its contacts named. */
  readonly said: ReadonlyMap<string, Said>
}

type Said = Readonly<Record<string, string | null>>

async function readRivals(
  scope: ReconcileScope,
  rows: readonly CrmRecordRow[],
  candidates: ReadonlyMap<string, readonly CrmFound[]>,
): Promise<Rivals> {
  const seen = [...candidates.values()].flat()
  const moved = rows.flatMap((row) =>
    row.crmId !== null && row.written === null ? [row.crmId] : [],
  )
  const unsure = seen.flatMap(({ by, key, crmId }) => (by !== 'key' && key === null ? [crmId] : []))
  const isUnsure = scope.object === 'company' && !scope.crm.findsFresh
  const said = await readNow(scope, isUnsure ? [...moved, ...unsure] : moved)
  const onThem = [...said.values()].map((values) => values[scope.rules.key.property])
  const named = [...seen.map(({ key }) => key), ...onThem]
  return {
    owners: await ownersOf(scope, [...seen.map(({ crmId }) => crmId), ...moved]),
    keyed: await readKeyed(
      scope,
      named.flatMap((key) => key || []),
    ),
    said,
  }
}

/** Search shows records as they were a while ago, and a merged one is new to us: what is on them now? */
async function readNow(
  scope: ReconcileScope,
  crmIds: readonly string[],
): Promise<ReadonlyMap<string, Said>> {
  if (crmIds.length === 0) return new Map()
  return scope.crm.read(scope.object, crmIds, propertiesToRead(scope), scope.signal)
}

/** Of keys that stand on CRM records: those that are subjects of ours, with the record that each has. */
export async function readKeyed(
  { context, crm, object }: ReconcileScope,
  keys: readonly string[],
): Promise<ReadonlyMap<string, string | null>> {
  if (keys.length === 0) return new Map()
  const rows = await context.db
    .selectFrom('crm_record')
    .select(['ref', 'crm_id'])
    .where('crm', '=', crm.name)
    .where('object', '=', object)
    .where(sql<boolean>`ref = any(${[...new Set(keys)]}::text[])`)
    .execute()
  return new Map(rows.map(({ ref, crm_id }) => [ref, crm_id]))
}

/** Whose record it is by the key on it, when that is another subject of ours; a stale key is nobody's. */
export function keyHolder(
  keyed: ReadonlyMap<string, string | null>,
  ref: string,
  crmId: string,
  key: string | null,
): string | null {
  if (key === null || key === '' || key === ref || !keyed.has(key)) return null
  const held = keyed.get(key) ?? null
  return held === null || held === crmId ? key : null
}

export function clashWith(object: string, rival: string): string {
  return `is the same ${object} in the CRM as ${rival}; merge the two or part their addresses`
}

type Taken = Located | Stopped

function take(
  scope: ReconcileScope,
  row: CrmRecordRow,
  candidates: readonly CrmFound[],
  { owners, keyed, said }: Rivals,
): Taken {
  const { claims, rules } = scope
  const rivalOf = (crmId: string, told: string | null) => {
    const key = said.get(crmId)?.[rules.key.property] ?? told
    const rival = keyHolder(keyed, row.ref, crmId, key) ?? claims.get(crmId) ?? owners.get(crmId)
    return rival === undefined || rival === row.ref ? null : rival
  }
  const { crmId, ownerId, written, created, candidates: before, ledger, turn } = row
  const known = { crmId, ownerId, written, created, candidates: before, ledger, turn }
  const at: Located = { row, ...known, unkeyed: false, said: null, company: undefined }
  if (crmId !== null) {
    const rival = written === null ? rivalOf(crmId, null) : null
    if (rival !== null) return apart(scope, at, rival)
    claims.set(crmId, row.ref)
    return { ...at, said: said.get(crmId) ?? null }
  }
  const free = candidates.filter((found) => rivalOf(found.crmId, found.key) === null)
  const first = candidates[0]
  if (first !== undefined && free.length === 0) {
    return apart(scope, at, rivalOf(first.crmId, first.key) ?? '')
  }
  const chosen = chooseCandidate(free, rules.match.several)
  if (chosen.kind === 'none') return at
  if (chosen.kind === 'ask')
    return { at: { ...at, candidates: chosen.ids }, parked: asked(scope, chosen.ids) }
  const { found, others } = chosen
  claims.set(found.crmId, row.ref)
  // What is found by our key after a create without an answer was made by that.
  const made = row.state === 'writing' && found.by === 'key'
  const ids = others.length > 0 ? [found.crmId, ...others] : null
  if (ids) tellSeveral(scope, row.ref, found.crmId, ids)
  return {
    ...at,
    crmId: found.crmId,
    ownerId: found.ownerId ?? ownerId,
    created: made,
    candidates: ids,
    said: found.values ?? said.get(found.crmId) ?? null,
    company: found.company,
  }
}

function apart({ object }: ReconcileScope, at: Located, rival: string): Taken {
  return { at: { ...at, crmId: null, created: false }, parked: clashWith(object, rival) }
}

function asked({ object }: ReconcileScope, ids: readonly string[]): string {
  return `${ids.length} records could be this ${object} in the CRM: ${ids.join(', ')}; merge them, or say in match.several which is meant`
}

function tellSeveral(scope: ReconcileScope, ref: string, taken: string, ids: readonly string[]) {
  const reason = `${ids.length} records could be this ${scope.object} in the CRM: ${ids.join(', ')}; took ${taken} (${scope.rules.match.several})`
  scope.run.note({ ref, outcome: 'several', reason, correlationId: null })
  scope.run.count('several')
}
