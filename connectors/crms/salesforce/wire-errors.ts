import { z } from 'zod'
import type { Answer } from './http-exchange.ts'

/** One of Salesforce's errors, as far as it was readable. */
export interface WireError {
  /** Such as `UNABLE_TO_LOCK_ROW`; empty when it has none. */
  readonly code: string
  /** Salesforce's words: they may repeat what was sent. */
  readonly message: string
  readonly fields: readonly string[]
}

const text = z.string().optional().catch(undefined)
/** Rows of collections say `statusCode`, everything else `errorCode`. */
const errorShape = z.object({
  errorCode: text,
  statusCode: text,
  error: text,
  message: text,
  error_description: text,
  fields: z.array(z.string()).nullish().catch(null),
})

export function parseWireError(body: unknown): WireError | null {
  const { data } = errorShape.safeParse(body)
  if (!data) return null
  const code = data.errorCode ?? data.statusCode ?? data.error ?? ''
  const message = data.message ?? data.error_description ?? ''
  return code === '' && message === '' ? null : { code, message, fields: data.fields ?? [] }
}

/** A body may be a list of errors, one error, or a page of a proxy, which holds none. */
export function parseWireErrors(body: unknown): WireError[] {
  return [body].flat().flatMap((one) => parseWireError(one) ?? [])
}

export function errorsOf(answer: Answer): WireError[] {
  return answer.status < 400 ? [] : parseWireErrors(parseJson(answer.text))
}

/** Null for what is no JSON. */
export function parseJson(body: string): unknown {
  try {
    return JSON.parse(body)
  } catch {
    return null
  }
}
