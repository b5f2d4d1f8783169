import type { CrmWrite } from '../../../src/core/ports/crm.ts'
import { toWireProperties } from './to-wire.ts'

/** One record on its way, for one or several writes of the caller. */
export interface WriteInput {
  /** Names the input in the answer; unique within one call of `write`. */
  readonly traceId: string
  /** Positions of the caller's writes that this input answers. */
  readonly positions: readonly number[]
  readonly key: string
  /** The record to update; null upserts by our own key. */
  readonly crmId: string | null
  readonly properties: Readonly<Record<string, string>>
}

/** Something that has no meaning on the wire, found before anything was sent. */
export interface UnsendableWrite {
  readonly position: number
  readonly property: string
}

/**
 * The inputs to send. HubSpot refuses a batch that names a record twice, after it has carried out
 * the first of the two: writes of one record become one input, where later values win.
 */
export function toWriteInputs(
  writes: readonly CrmWrite[],
  keyProperty: string,
): { inputs: WriteInput[]; unsendable: UnsendableWrite[] } {
  const crmIdByKey = new Map(writes.map((write) => [write.key, write.crmId]))
  for (const { key, crmId } of writes) if (crmId !== null) crmIdByKey.set(key, crmId)
  const byRecord = new Map<string, WriteInput>()
  const unsendable: UnsendableWrite[] = []
  for (const [position, write] of writes.entries()) {
    const wire = toWireProperties({ ...write.properties, [keyProperty]: write.key })
    if (!wire.ok) {
      unsendable.push({ position, property: wire.property })
      continue
    }
    const crmId = write.crmId ?? crmIdByKey.get(write.key) ?? null
    const record = crmId === null ? `key ${write.key}` : `id ${crmId}`
    const earlier = byRecord.get(record)
    byRecord.set(record, {
      traceId: earlier?.traceId ?? `w${position}`,
      positions: [...(earlier?.positions ?? []), position],
      key: write.key,
      crmId,
      properties: { ...earlier?.properties, ...wire.properties },
    })
  }
  return { inputs: [...byRecord.values()], unsendable }
}
