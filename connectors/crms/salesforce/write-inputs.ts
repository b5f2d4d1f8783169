import type { CrmValue, CrmWrite } from '../../../src/core/ports/crm.ts'
import type { ObjectDescription } from './describe.ts'
import { objectOf, type RecordObject } from './objects.ts'
import { toWireFields, type WireValue } from './to-wire.ts'

/** One record on its way, for one or several writes of the caller. */
export interface WriteInput {
  /** Positions of the caller's writes that this input answers. */
  readonly positions: readonly number[]
  readonly key: string
  readonly object: RecordObject
  /** The record to update; null creates it, or updates the one that has our key. */
  readonly crmId: string | null
  readonly fields: Readonly<Record<string, WireValue>>
  /** The fields put a contact under its account. */
  readonly isUnder: boolean
  /** What rows are sorted by, so that those which lock the same account go together. */
  readonly accountId: string
}

/** Something that must not be sent, found before anything was. */
export interface UnsendableWrite {
  readonly position: number
  readonly code: string
  readonly reason: string
}

export interface WritePlanOptions {
  readonly keyField: string
  readonly createAs: RecordObject
  readonly describe: (object: RecordObject) => ObjectDescription
}

interface Merged {
  readonly positions: readonly number[]
  readonly write: CrmWrite
  readonly values: Readonly<Record<string, CrmValue>>
}

/**
 * The inputs to send. Salesforce fails both of two rows with one key in one call: writes of one record
 * become one input, where later values win.
 */
export function toWriteInputs(
  writes: readonly CrmWrite[],
  options: WritePlanOptions,
): { inputs: WriteInput[]; unsendable: UnsendableWrite[] } {
  const inputs: WriteInput[] = []
  const unsendable: UnsendableWrite[] = []
  for (const { positions, write, values } of mergedWrites(writes, options.keyField)) {
    const made = toInput(write, values, options)
    if ('code' in made) for (const position of positions) unsendable.push({ position, ...made })
    else inputs.push({ ...made, positions })
  }
  return { inputs: inputs.toSorted(byAccount), unsendable }
}

function mergedWrites(writes: readonly CrmWrite[], keyField: string): Merged[] {
  const crmIdByKey = new Map(writes.map((write) => [write.key, write.crmId]))
  for (const { key, crmId } of writes) if (crmId !== null) crmIdByKey.set(key, crmId)
  const byRecord = new Map<string, Merged>()
  for (const [position, write] of writes.entries()) {
    const crmId = write.crmId ?? crmIdByKey.get(write.key) ?? null
    const record = crmId === null ? `key ${write.key}` : `id ${crmId}`
    const earlier = byRecord.get(record)
    byRecord.set(record, {
      positions: [...(earlier?.positions ?? []), position],
      write: { ...write, crmId },
      values: { ...earlier?.values, ...write.properties, [keyField]: write.key },
    })
  }
  return [...byRecord.values()]
}

function toInput(
  { key, crmId, companyId = null, putUnder = false }: CrmWrite,
  values: Readonly<Record<string, CrmValue>>,
  { createAs, describe }: WritePlanOptions,
): Omit<WriteInput, 'positions'> | Omit<UnsendableWrite, 'position'> {
  const object = crmId === null ? createAs : objectOf(crmId)
  if (object === null) {
    const reason = 'The id is of no record that Ripen writes; nothing was sent.'
    return { code: 'MALFORMED_ID', reason }
  }
  const mayPut =
    crmId === null || (putUnder && describe(object).fields.get('AccountId')?.updateable)
  const isUnder = mayPut === true && object === 'Contact' && companyId !== null
  const all = isUnder ? { ...values, AccountId: companyId } : values
  const wire = toWireFields(describe(object), all, crmId === null ? 'create' : 'update')
  if (!wire.ok) {
    const { field, code, why } = wire
    return { code, reason: `${code}: field ${field} of ${object} ${why}; nothing was sent.` }
  }
  return { key, object, crmId, fields: wire.fields, isUnder, accountId: companyId ?? '' }
}

function byAccount(a: WriteInput, b: WriteInput): number {
  if (a.accountId !== b.accountId) return a.accountId < b.accountId ? -1 : 1
  return 0
}
