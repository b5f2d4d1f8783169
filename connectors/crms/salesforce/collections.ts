import { z } from 'zod'
import type { CallFailure } from './classify-error.ts'
import { pauseInRows } from './limits-said.ts'
import { type DataCall, type Session, sendSettled } from './session.ts'
import type { WireValue } from './to-wire.ts'
import { parseJson, parseWireError, type WireError } from './wire-errors.ts'

/** Salesforce's limit for one call of records. */
export const MAX_BATCH = 200

/** What became of one record of a call. */
export type Saved =
  | { readonly kind: 'saved'; readonly id: string; readonly created: boolean }
  | { readonly kind: 'error'; readonly error: WireError }
  /** The answer does not say. */
  | { readonly kind: 'unknown' }

/** How a call of several records ended: one answer for each, or none for all. */
export type Collected =
  | { readonly ok: true; readonly saved: readonly Saved[] }
  | { readonly ok: false; readonly failure: CallFailure }

export interface SendOptions {
  /** Lets a record pass at which a duplicate rule only warns. */
  readonly allowDuplicates?: boolean
  /** Called after all pacing, right before the call goes out. */
  readonly sending?: (() => Promise<void>) | undefined
}

const savedShape = z.object({
  id: z.string().nullish().catch(null),
  success: z.boolean(),
  created: z.boolean().optional().catch(undefined),
  errors: z.array(z.unknown()).catch([]),
})

type Fields = Readonly<Record<string, WireValue>>

/** Creates records of one object. Never repeated: a doubtful call is told as such. */
export function createRecords(
  session: Session,
  object: string,
  records: readonly Fields[],
  options: SendOptions,
  signal: AbortSignal,
): Promise<Collected> {
  const json = { allOrNone: false, records: records.map((fields) => typed(object, fields)) }
  return send(
    session,
    { method: 'POST', path: '/composite/sobjects', json },
    options,
    records.length,
    true,
    signal,
  )
}

/** Updates records by their ids. */
export function updateRecords(
  session: Session,
  object: string,
  records: readonly { readonly id: string; readonly fields: Fields }[],
  options: SendOptions,
  signal: AbortSignal,
): Promise<Collected> {
  const json = {
    allOrNone: false,
    records: records.map(({ id, fields }) => ({ ...typed(object, fields), id })),
  }
  return send(
    session,
    { method: 'PATCH', path: '/composite/sobjects', json },
    options,
    records.length,
    false,
    signal,
  )
}

/** Creates or updates records by the value of a unique field. */
export function upsertRecords(
  session: Session,
  object: string,
  keyField: string,
  records: readonly Fields[],
  options: SendOptions,
  signal: AbortSignal,
): Promise<Collected> {
  const json = { allOrNone: false, records: records.map((fields) => typed(object, fields)) }
  const path = `/composite/sobjects/${object}/${keyField}`
  return send(session, { method: 'PATCH', path, json }, options, records.length, false, signal)
}

/** Deletes records of any objects. */
export function deleteRecords(
  session: Session,
  ids: readonly string[],
  signal: AbortSignal,
): Promise<Collected> {
  const path = `/composite/sobjects?ids=${ids.join(',')}&allOrNone=false`
  return send(session, { method: 'DELETE', path }, {}, ids.length, false, signal)
}

function typed(type: string, fields: Fields) {
  return { attributes: { type }, ...fields }
}

async function send(
  session: Session,
  call: Pick<DataCall, 'method' | 'path' | 'json'>,
  { allowDuplicates = false, sending }: SendOptions,
  expected: number,
  isCreate: boolean,
  signal: AbortSignal,
): Promise<Collected> {
  const path = call.path.replace(/\?.*$/, '').replace(/^\//, '')
  const result = await sendSettled(
    session,
    {
      ...call,
      sending,
      kind: 'write',
      endpoint: `${call.method} ${path}`,
      limitIn: ({ text }) =>
        pauseInRows(errorsIn(rowsOf(text).map((one) => toSaved(one, isCreate)))),
      ...(allowDuplicates ? { headers: { 'Sforce-Duplicate-Rule-Header': 'allowSave=true' } } : {}),
    },
    signal,
  )
  if (!result.ok) return result
  const body = rowsOf(result.answer.text)
  // One answer for each record in the order sent, or nobody knows whose they are.
  if (body.length !== expected) {
    return { ok: true, saved: Array.from({ length: expected }, () => ({ kind: 'unknown' })) }
  }
  return { ok: true, saved: body.map((one) => toSaved(one, isCreate)) }
}

function rowsOf(text: string): readonly unknown[] {
  const body = parseJson(text)
  return Array.isArray(body) ? body : []
}

/** The errors of those records that were not saved. */
export function errorsIn(saved: readonly Saved[]): WireError[] {
  return saved.flatMap((one) => (one.kind === 'error' ? [one.error] : []))
}

function toSaved(one: unknown, isCreate: boolean): Saved {
  const { data } = savedShape.safeParse(one)
  if (!data) return { kind: 'unknown' }
  if (data.success) {
    if (!data.id) return { kind: 'unknown' }
    return { kind: 'saved', id: data.id, created: data.created ?? isCreate }
  }
  const error = parseWireError(data.errors[0])
  return error ? { kind: 'error', error } : { kind: 'unknown' }
}
