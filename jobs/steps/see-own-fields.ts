import type { ObjectMapping, PropertyMapping } from '../../src/core/mapping/crm-mapping.ts'
import { traitOf } from '../../src/core/mapping/field-policy.ts'
import type { FitValues } from '../../src/core/ports/crm.ts'
import { isOurs, isTheirs, type Ledger, plainText } from '../../src/core/sync/ledger.ts'
import { nextWrite } from '../../src/core/sync/next-write.ts'
import { afterRead, type ReadValues, withParked } from '../../src/core/sync/seen-record.ts'
import { type NotedEdit, noteEdits } from '../../src/infra/postgres/crm-edit-store.ts'
import type { DueRead } from '../../src/infra/postgres/crm-read-store.ts'
import type { CrmRecordRow } from '../../src/infra/postgres/crm-record-store.ts'
import { type SeenRecord, storeSeen, turnsHeld } from '../../src/infra/postgres/crm-seen-store.ts'
import type { Tx } from '../../src/infra/postgres/database.ts'
import { requestWork } from '../../src/infra/postgres/work.ts'
import type { RunNotes } from '../context.ts'
import { editsOf, hashOf, tellParked } from './field-edits.ts'

/** Properties of ours on an object, as far as they are there. */
export function ownProperties({
  properties,
}: Pick<ObjectMapping, 'properties'>): readonly string[] {
  return Object.keys(properties).sort()
}

/** Those that are only read. */
export function pulledProperties({
  properties,
}: Pick<ObjectMapping, 'properties'>): readonly string[] {
  const declared: Readonly<Record<string, PropertyMapping>> = properties
  return Object.keys(declared)
    .filter((name) => declared[name]?.policy === 'pull')
    .sort()
}

/** Records that were read, with how they stood before. */
export interface OwnReads {
  readonly crm: string
  readonly rules: ObjectMapping
  readonly reads: readonly DueRead[]
  readonly values: ReadonlyMap<string, ReadValues>
  /** By our id: how often a record was written or found otherwise, before it was read. */
  readonly turns: ReadonlyMap<string, number>
  readonly fitted: FitValues
}

/** What the CRM says for itself in properties of ours, by our id and the trait that it is. */
export interface OwnSaid {
  readonly traits: ReadonlyMap<string, Readonly<Record<string, string | null>>>
  /** Those that were written or read by somebody else meanwhile: what was read of them is no news. */
  readonly overtaken: ReadonlySet<string>
}

/**
 * Takes what records say in the properties that are ours: values that somebody else gave them are noted, and what
 * is to be written for it is asked for.
 */
export async function seeOwnFields(
  tx: Tx,
  { crm, rules, reads, values, turns, fitted }: OwnReads,
  run: RunNotes,
  now: Date,
): Promise<OwnSaid> {
  const held = await turnsHeld(tx, crm, reads)
  const traits = new Map<string, Readonly<Record<string, string | null>>>()
  const overtaken = new Set<string>()
  const seen: SeenRecord[] = []
  const edits: NotedEdit[] = []
  for (const { ref, crmId } of reads) {
    const [row, said] = [held.get(ref), values.get(crmId)]
    if (!row || !said) continue
    if (row.turn !== turns.get(ref) || row.state === 'writing') {
      overtaken.add(ref)
      continue
    }
    // Before its first write a record is read by whoever writes it.
    if (row.written === null) {
      traits.set(ref, saidTraits(rules, row.ledger, said))
      continue
    }
    const looked = lookAt(rules, { ...row, desired: fitted(crmId, row.desired) }, said, now)
    traits.set(ref, saidTraits(rules, looked.ledger, said))
    if (looked.record) seen.push(looked.record)
    edits.push(...looked.edits)
    tellParked({ run }, ref, row.ledger, looked.next)
  }
  await storeSeen(tx, crm, seen)
  await noteEdits(tx, crm, edits, now)
  if (edits.length > 0) run.count('edits', edits.length)
  if (seen.some(({ isOpen }) => isOpen)) await requestWork(tx, 'reconcile', crm)
  return { traits, overtaken }
}

function lookAt(rules: ObjectMapping, row: CrmRecordRow, said: ReadValues, now: Date) {
  const { desired, ledger } = row
  const at = now.getTime()
  const known = { desired, seen: row.written, ledger }
  const after = afterRead(rules, known, said, at, hashOf)
  const next = nextWrite(rules, { ...known, ...after }, at)
  const record = {
    ref: row.ref,
    seen: after.seen,
    ledger: withParked(after.ledger, next.fields),
    isOpen: next.properties !== null,
    dueAt: next.wakeAt === null ? null : new Date(next.wakeAt),
  }
  return {
    record: isNews(row, record) ? record : null,
    ledger: after.ledger,
    edits: editsOf(row.ref, after.edits, next),
    next,
  }
}

const isNews = ({ written, ledger }: CrmRecordRow, record: SeenRecord): boolean =>
  record.isOpen ||
  JSON.stringify([record.seen, record.ledger]) !== JSON.stringify([written, ledger])

/** What is read is a trait; of what is written too, only what Ripen did not write itself. */
function saidTraits(
  { properties }: ObjectMapping,
  ledger: Ledger,
  said: ReadValues,
): Readonly<Record<string, string | null>> {
  const declared: Readonly<Record<string, PropertyMapping>> = properties
  const traits: Record<string, string | null> = {}
  for (const [name, property] of Object.entries(declared)) {
    const trait = traitOf(property)
    if (trait === null || !(property.policy === 'pull' || property.policy === 'two-way')) continue
    const text = plainText(said[name] ?? null)
    const [mark, hashed] = [ledger[name] ?? {}, hashOf(text)]
    const isOwn = property.policy === 'two-way' && isOurs(mark, hashed) && !isTheirs(mark, hashed)
    traits[trait] = text === '' || isOwn ? null : text
  }
  return traits
}
