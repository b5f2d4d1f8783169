import { sql } from 'kysely'
import type { ObjectMapping } from '../../src/core/mapping/crm-mapping.ts'
import type { MappingSet } from '../../src/core/mapping/mapping-set.ts'
import type { Model } from '../../src/core/mapping/model.ts'
import type { Crm, CrmObject, CrmValue } from '../../src/core/ports/crm.ts'
import type { Speaker } from '../../src/core/sync/fields.ts'
import { type HoldReason, nextWrite } from '../../src/core/sync/next-write.ts'
import { afterRead, type ReadValues } from '../../src/core/sync/seen-record.ts'
import {
  type CrmRecordRow,
  recordsOf,
  type WantedRecord,
} from '../../src/infra/postgres/crm-record-store.ts'
import type { Db } from '../../src/infra/postgres/database.ts'
import type { JobContext } from '../context.ts'
import { wantedOf } from './desire.ts'
import { createDoubts } from './doubts.ts'
import { hashOf } from './field-edits.ts'
import {
  clashWith,
  keyHolder,
  type Located,
  lookFor,
  propertiesToRead,
  readKeyed,
} from './locate.ts'
import { knownOf, nextOf } from './plan-write.ts'
import { fitOf, type ReconcileScope } from './reconcile-scope.ts'
import type { ScoreReader } from './speakers.ts'

/** What would become of one record of a CRM. */
export type PreviewStep =
  | 'create'
  | 'update'
  /** It says what it should. */
  | 'same'
  /** The CRM has no such record, and the mapping makes none. */
  | 'unlinked'
  /** A person must see to something first. */
  | 'parked'
  /** It says what it should, and is put away. */
  | 'archive'

/** One property that would be written. */
export interface PreviewField {
  readonly property: string
  /** What is there now, as the CRM gives it; null for nothing. */
  readonly old: CrmValue
  readonly new: CrmValue
}

/** One property that says something else than it should, and is left alone. */
export interface PreviewHeld {
  readonly property: string
  readonly old: CrmValue
  readonly wanted: CrmValue
  /** `theirs`: what the CRM says stands. `parked`: somebody else puts another value back each time. */
  readonly why: HoldReason | 'theirs' | 'parked'
  /** ISO 8601 UTC; null until something else changes. */
  readonly until: string | null
}

export interface RecordPreview {
  readonly object: CrmObject
  /** Our id of the person or account. */
  readonly ref: string
  /** An e-mail address or a domain; our id where there is none. */
  readonly name: string
  readonly crmId: string | null
  readonly step: PreviewStep
  /** Why nothing is written, or cannot be. */
  readonly reason: string | null
  /** Only what would be written. */
  readonly fields: readonly PreviewField[]
  readonly held: readonly PreviewHeld[]
  /** Everything that it should say. */
  readonly desired: Readonly<Record<string, CrmValue>>
  /** What the CRM has of that now; null for a record that is not there. */
  readonly now: Readonly<Record<string, string | null>> | null
}

/** What records are looked at with. */
export interface PreviewScope {
  readonly context: Pick<JobContext, 'db' | 'clock' | 'onProgress'>
  readonly crm: Crm
  readonly set: MappingSet
  readonly object: CrmObject
  readonly rules: ObjectMapping
  readonly speaks: (model: Model) => Speaker
  /** Scores of a draft; the stored ones when left out. */
  readonly scores?: ScoreReader | undefined
  readonly signal: AbortSignal
}

/**
 * Looks at records as the sync does, and tells what it would write: what each should say, which record of the
 * CRM it is, what that says now, and what the same rules decide. Nothing is written anywhere.
 */
export function createPreview(
  given: PreviewScope,
): (refs: readonly string[]) => Promise<readonly RecordPreview[]> {
  const looking: Omit<ReconcileScope, 'fitted'> = {
    ...given,
    run: { note: () => {}, count: () => {} },
    doubts: createDoubts(given.crm.maxBatch),
    plan: { problem: null, refusedAlike: async () => true },
    claims: new Map(),
    busy: new Set(),
  }
  return async (refs) => {
    const fitted = await fitOf(given.crm, given.object, given.signal)
    const scope: ReconcileScope = { ...looking, fitted }
    const rows = await wantedRows(given, refs)
    const names = new Map(rows.map((row) => [row.ref, nameOf(row)]))
    const first = await look(scope, rows)
    // What is gone there may have been merged, and is looked for again.
    const gone = first.seen.filter(({ at, values }) => at.crmId !== null && values === null)
    const lost = gone.map(({ at: { row } }) => {
      return { ...row, crmId: null, written: null, deleted: true }
    })
    const again = await look(scope, lost)
    const seen = [...first.seen.filter((one) => !gone.includes(one)), ...again.seen]
    const stopped = [...first.stopped, ...again.stopped]
    const previews = [
      ...seen.map((one) => previewOf(scope, one)),
      ...stopped.map(({ at, parked }) => stoppedPreview(scope, at, parked)),
    ]
    const order = new Map(rows.map(({ ref }, index) => [ref, index]))
    return previews
      .map((one) => ({ ...one, name: names.get(one.ref) ?? one.ref }))
      .sort((a, b) => (order.get(a.ref) ?? 0) - (order.get(b.ref) ?? 0))
  }
}

const NO_ROW = {
  crmId: null,
  ownerId: null,
  written: null,
  state: 'pending',
  companyLinked: null,
  created: false,
  candidates: null,
  deleted: false,
  ledger: {},
  turn: 0,
  changedAt: '',
} as const

/** The rows as they would be stored. */
async function wantedRows(
  { context: { db, clock }, crm, set, object, rules, speaks, scores }: PreviewScope,
  refs: readonly string[],
): Promise<readonly CrmRecordRow[]> {
  const before = await recordsOf(db, crm.name, refs)
  const now = clock()
  const wanted = await wantedOf(
    { db, set, crm: crm.name, object, rules, speaks, now, scores },
    refs,
    before,
  )
  const erased = await erasedAmong(db, refs)
  return wanted.flatMap(({ record }) =>
    erased.has(record.ref) ? [] : [rowOf(record, before.get(record.ref))],
  )
}

function rowOf(wanted: WantedRecord, before: CrmRecordRow | undefined): CrmRecordRow {
  const { ref, object, mayCreate, properties, onCreate, companyRef, onLeave, urgent } = wanted
  const { emails, domains, thorough } = wanted
  const lookup = { emails, domains, thorough }
  const said = { mayCreate, lookup, desired: properties, onCreate, companyRef, onLeave, urgent }
  return { ...NO_ROW, ...before, ref, object, ...said }
}

/** Who was deleted in the CRM for good gets no record. */
async function erasedAmong(db: Db, refs: readonly string[]): Promise<ReadonlySet<string>> {
  const rows = await db
    .selectFrom('crm_former')
    .select('ref')
    .where('erased', '=', true)
    .where(sql<boolean>`ref = any(${[...refs]}::text[])`)
    .execute()
  return new Set(rows.map(({ ref }) => ref))
}

interface Seen {
  readonly at: Located
  readonly values: ReadValues | null
  /** It is another subject's by the key on it. */
  readonly clash: string | null
}

async function look(scope: ReconcileScope, rows: readonly CrmRecordRow[]) {
  if (rows.length === 0) return { seen: [], stopped: [] }
  const turn = { comes: Promise.resolve(), pass: () => {}, free: Promise.resolve() }
  const { located, stopped } = await lookFor(scope, rows, turn)
  return { seen: await readNow(scope, located), stopped }
}

async function readNow(scope: ReconcileScope, located: readonly Located[]): Promise<Seen[]> {
  const { crm, object, rules, signal } = scope
  const now = scope.context.clock().getTime()
  const ids = located.flatMap(({ crmId }) => crmId ?? [])
  if (ids.length === 0) return located.map((at) => ({ at, values: null, clash: null }))
  const there = await crm.propertyNames(object, signal)
  const key = rules.key.property
  const names = propertiesToRead(scope).filter((name) => there.has(name))
  const read = await crm.read(object, ids, names, signal)
  const keyed = await readKeyed(
    scope,
    [...read.values()].flatMap((values) => values[key] || []),
  )
  return located.map((at): Seen => {
    const values = at.crmId === null ? null : (read.get(at.crmId) ?? null)
    if (at.crmId === null || values === null) return { at, values, clash: null }
    const clash = keyHolder(keyed, at.row.ref, at.crmId, values[key] ?? null)
    const { seen: written, ledger } = afterRead(rules, knownOf(scope, at), values, now, hashOf)
    return { at: { ...at, written, ledger, unkeyed: values[key] !== at.row.ref }, values, clash }
  })
}

function previewOf(scope: ReconcileScope, { at, values, clash }: Seen): RecordPreview {
  if (clash !== null) return stoppedPreview(scope, at, clashWith(scope.object, clash))
  const base = { ...baseOf(scope, at, values), held: heldOf(scope, at, values) }
  const next = nextOf(scope, at)
  if ('leaves' in next) return { ...base, step: 'archive' }
  if ('update' in next) {
    const { state, reason } = next.update
    const step = state === 'in-sync' ? 'same' : state === 'unlinked' ? 'unlinked' : 'parked'
    return { ...base, step, reason }
  }
  const changed = Object.entries(next.properties).filter(
    // A new record is not told that it has nothing.
    ([, value]) => at.crmId !== null || value !== null,
  )
  const fields = changed.map(([property, value]) => {
    return { property, old: values?.[property] || null, new: value }
  })
  return {
    ...base,
    step: at.crmId === null ? 'create' : 'update',
    fields: [...keyField(scope, at, values), ...fields],
  }
}

function heldOf(scope: ReconcileScope, at: Located, values: ReadValues | null): PreviewHeld[] {
  if (at.crmId === null) return []
  const { fields } = nextWrite(scope.rules, knownOf(scope, at), scope.context.clock().getTime())
  return [...fields].flatMap(([property, step]): PreviewHeld[] => {
    if (step.kind === 'write') return []
    const said = {
      property,
      old: values?.[property] || null,
      wanted: at.row.desired[property] ?? null,
    }
    if (step.kind === 'adopt') return [{ ...said, why: 'theirs', until: null }]
    if (step.kind === 'park') return [{ ...said, why: 'parked', until: null }]
    const until = step.until === null ? null : new Date(step.until).toISOString()
    return [{ ...said, why: step.why, until }]
  })
}

/** Our own key is set by every write; it is news only where it is not there yet. */
function keyField(
  { rules }: ReconcileScope,
  at: Located,
  values: ReadValues | null,
): PreviewField[] {
  const { property } = rules.key
  if (!at.unkeyed && at.crmId !== null) return []
  return [{ property, old: values?.[property] || null, new: at.row.ref }]
}

function stoppedPreview(scope: ReconcileScope, at: Located, reason: string): RecordPreview {
  return { ...baseOf(scope, at, null), step: 'parked', reason }
}

function baseOf({ object }: ReconcileScope, at: Located, now: ReadValues | null): RecordPreview {
  const { ref, desired } = at.row
  const known = { object, ref, name: ref, crmId: at.crmId, desired, now }
  return { ...known, step: 'same', reason: null, fields: [], held: [] }
}

function nameOf({ ref, lookup: { emails, domains } }: CrmRecordRow): string {
  return emails[0] ?? domains[0] ?? ref
}
