import { z } from 'zod'
import { type AvroType, avroType } from './avro.ts'

const fieldShape = z.object({ name: z.string(), type: z.unknown() })
const recordShape = z.looseObject({ type: z.literal('record'), fields: z.array(z.unknown()) })
const HEADER = 'ChangeEventHeader'

/** What is read of an event: that it happened, which contact a lead became, and whose account a deal is. */
const headerShape = z.object({
  entityName: z.string(),
  recordIds: z.array(z.string()),
  changeType: z.string(),
  changeOrigin: z.string().catch(''),
  nulledFields: z.array(z.string()).catch([]),
  diffFields: z.array(z.string()).catch([]),
  changedFields: z.array(z.string()).catch([]),
})
const READ = new Set(Object.keys(headerShape.shape))
const CONTACT = 'ConvertedContactId'
const ACCOUNT = 'AccountId'
const reference = z
  .object({ string: z.string() })
  .transform(({ string }) => string)
  .nullish()
  .catch(null)
const eventShape = z.object({ [HEADER]: headerShape, [CONTACT]: reference, [ACCOUNT]: reference })

/** An event as far as it is looked at: no value of a record but ids of others. */
export interface ChangeEvent {
  readonly entity: string
  readonly type: string
  readonly ids: readonly string[]
  readonly origin: string
  /** API names of the fields that became others, or empty. */
  readonly fields: readonly string[]
  readonly convertedTo: string | null
  /** The account that it was put under, if that is new. */
  readonly accountId: string | null
}

/** Reads events of one schema. */
export interface EventSchema {
  /** @throws {Error} when the bytes are no event of it. */
  read(payload: Buffer): ChangeEvent
}

/**
 * Takes the header out of an event and passes over the rest, so that what a record says is neither held nor met by
 * numbers that JavaScript has not.
 * @throws {Error} when it is no schema of change events.
 */
export function eventSchema(json: string): EventSchema {
  const schema = recordShape.parse(JSON.parse(json))
  const fields = schema.fields.map((field) => fieldShape.parse(field))
  const reader = readerOf(schema, fields)
  const resolver = reader.createResolver(avroType(schema))
  const records = namedRecords(schema)
  return {
    read(payload) {
      const event = eventShape.parse(reader.fromBuffer(payload, resolver))
      const { [HEADER]: header, [CONTACT]: convertedTo, [ACCOUNT]: accountId } = event
      const bitmaps = [...header.changedFields, ...header.nulledFields, ...header.diffFields]
      const names = bitmaps.flatMap((bitmap) => namesIn(bitmap, fields, records))
      return {
        ...{ entity: header.entityName, type: header.changeType, ids: header.recordIds },
        ...{ origin: header.changeOrigin, fields: [...new Set(names)] },
        ...{ convertedTo: convertedTo ?? null, accountId: accountId ?? null },
      }
    },
  }
}

type Field = z.output<typeof fieldShape>

/** The same record with nothing in it but what is read. */
function readerOf(schema: z.output<typeof recordShape>, fields: readonly Field[]): AvroType {
  const header = fields.find(({ name }) => name === HEADER)
  const { fields: parts, ...type } = recordShape.parse(header?.type)
  const kept = parts.filter((part) => READ.has(fieldShape.parse(part).name))
  const references = fields.filter(({ name }) => name === CONTACT || name === ACCOUNT)
  return avroType({
    ...schema,
    fields: [
      { name: HEADER, type: { ...type, fields: kept } },
      ...references.map((field) => ({ ...field, default: null })),
    ],
  })
}

/**
 * Fields that a bitmap names: `0x…` those of the event, `5-0x…` parts of its field 5. Places are counted from the
 * right, and the header is field 0.
 */
function namesIn(
  bitmap: string,
  fields: readonly Field[],
  records: ReadonlyMap<string, readonly Field[]>,
): string[] {
  const [first = '', nested] = bitmap.split('-')
  if (nested === undefined) return bitsOf(first, fields).map(({ name }) => name)
  const whole = fields[Number(first)]
  if (!whole) return []
  const parts = bitsOf(nested, partsOf(whole.type, records))
  return [whole.name, ...parts.map(({ name }) => partName(whole.name, name))]
}

function bitsOf(hex: string, fields: readonly Field[]): Field[] {
  const bits = /^0x[0-9a-f]+$/i.test(hex) ? BigInt(hex) : 0n
  return fields.filter((_, place) => (bits >> BigInt(place)) & 1n)
}

/** `MailingAddress` and `City` are the field `MailingCity`; parts of a name are fields of their own. */
function partName(whole: string, part: string): string {
  return whole.endsWith('Address') ? whole.slice(0, -'Address'.length) + part : part
}

/** A field that may be null is a union; a record that was described before is only named. */
function partsOf(type: unknown, records: ReadonlyMap<string, readonly Field[]>): readonly Field[] {
  const options = Array.isArray(type) ? type : [type]
  for (const option of options) {
    const name = typeof option === 'string' ? option : nameOf(option)
    const parts = name === null ? undefined : records.get(shortName(name))
    if (parts) return parts
  }
  return []
}

function namedRecords(type: unknown): Map<string, readonly Field[]> {
  if (Array.isArray(type)) return new Map(type.flatMap((one) => [...namedRecords(one)]))
  const record = recordShape.safeParse(type)
  if (!record.success) return new Map()
  const fields = record.data.fields.map((field) => fieldShape.parse(field))
  const name = nameOf(type)
  return new Map([
    ...(name === null ? [] : [[shortName(name), fields] as const]),
    ...fields.flatMap((field) => [...namedRecords(field.type)]),
  ])
}

function nameOf(type: unknown): string | null {
  if (typeof type !== 'object' || type === null || !('name' in type)) return null
  return typeof type.name === 'string' ? type.name : null
}

const shortName = (name: string): string => name.slice(name.lastIndexOf('.') + 1)
