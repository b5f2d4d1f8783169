import { z } from 'zod'
import { parsed, type Session, sendOrThrow } from './session.ts'

const text = z.string().optional().catch(undefined)
const flag = z.boolean().catch(false)
const count = z.number().catch(0)

const fieldShape = z.object({
  name: z.string(),
  label: text,
  type: z.string(),
  length: count,
  precision: count,
  scale: count,
  digits: count,
  nillable: z.boolean().catch(true),
  createable: flag,
  updateable: flag,
  defaultedOnCreate: flag,
  externalId: flag,
  unique: flag,
  idLookup: flag,
  filterable: z.boolean().catch(true),
  calculated: flag,
  restrictedPicklist: flag,
  picklistValues: z
    .array(z.object({ value: z.string(), active: z.boolean().catch(true) }))
    .nullish()
    .catch(null),
})

/** A field as an org has it, and as the user of Ripen may use it. */
export type FieldDescription = z.output<typeof fieldShape>

const objectShape = z.object({
  name: z.string(),
  createable: flag,
  updateable: flag,
  deletable: flag,
  queryable: z.boolean().catch(true),
  replicateable: z.boolean().catch(true),
  fields: z.array(fieldShape),
})

export interface ObjectDescription extends Omit<z.output<typeof objectShape>, 'fields'> {
  readonly fields: ReadonlyMap<string, FieldDescription>
}

/** An admin may add a field at any time: what is known is looked at anew after so long. */
const KEPT_MS = 10 * 60_000

/** What an org has of an object; fields that the user may not see are not there. */
export async function describe(
  session: Session,
  object: string,
  signal: AbortSignal,
  { fresh = false } = {},
): Promise<ObjectDescription> {
  const { descriptions } = session.memory
  const now = session.now().getTime()
  const known = descriptions.get(object)
  if (!fresh && known && now - known.at < KEPT_MS) return known.is
  const is = read(session, object, signal)
  descriptions.set(object, { at: now, is })
  // A failure is not kept, nor what somebody gave up waiting for.
  is.catch(() => {
    if (descriptions.get(object)?.is === is) descriptions.delete(object)
  })
  return is
}

async function read(
  session: Session,
  object: string,
  signal: AbortSignal,
): Promise<ObjectDescription> {
  const endpoint = `GET sobjects/${object}/describe`
  const path = `/sobjects/${object}/describe`
  const call = { kind: 'read', method: 'GET', path, endpoint } as const
  const { fields, ...rest } = parsed(
    await sendOrThrow(session, call, signal),
    objectShape,
    endpoint,
  )
  return { ...rest, fields: new Map(fields.map((field) => [field.name, field])) }
}
