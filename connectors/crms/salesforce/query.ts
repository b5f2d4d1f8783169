import { z } from 'zod'
import type { SyncFailure } from '../../../src/core/errors.ts'
import { classifyError } from './classify-error.ts'
import type { Answer } from './http-exchange.ts'
import { type AskedPause, pauseInRows } from './limits-said.ts'
import {
  apiVersion,
  failureToThrow,
  parsed,
  type Session,
  sendData,
  sendOrThrow,
  unreadable,
} from './session.ts'
import type { Soql } from './soql.ts'
import { parseJson, parseWireErrors } from './wire-errors.ts'

/** One record of a query; parents are records in it. */
export type Row = Readonly<Record<string, unknown>>

export interface QueryOptions {
  /** Deleted and merged records too. */
  readonly withDeleted?: boolean
}

const ENDPOINT = 'GET query'
const COMPOSITE = 'POST composite'
/** Salesforce takes so many queries in one composite call, which counts as one call. */
const MOST_QUERIES = 5
/** Longest query; Salesforce takes 16,384 bytes of address, path included. */
export const MOST_QUERY_BYTES = 16_340
/** Longest query in the address of a call of its own, which must fit into 16,384 bytes with all headers. */
const MOST_ALONE_BYTES = 13_000

const pageShape = z.object({
  totalSize: z.number(),
  done: z.boolean(),
  nextRecordsUrl: z.string().optional(),
  records: z.array(z.record(z.string(), z.unknown())),
})
type Page = z.output<typeof pageShape>

const compositeShape = z.object({
  compositeResponse: z.array(
    z.object({ body: z.unknown(), httpStatusCode: z.number(), referenceId: z.string() }),
  ),
})

/**
 * Runs queries, and reads each to its last page: `result[i]` holds all rows of query i. Several go in one
 * call. @throws {RetryableError} when not all rows came that Salesforce counts.
 */
export async function runQueries(
  session: Session,
  queries: readonly Soql[],
  signal: AbortSignal,
  options: QueryOptions = {},
): Promise<Row[][]> {
  const results: Row[][] = []
  for (let at = 0; at < queries.length; at += MOST_QUERIES) {
    const some = queries.slice(at, at + MOST_QUERIES)
    const pages = await firstPages(session, some, signal, options)
    for (const page of pages) results.push(await allRows(session, page, signal))
  }
  return results
}

export async function runQuery(
  session: Session,
  query: Soql,
  signal: AbortSignal,
  options: QueryOptions = {},
): Promise<Row[]> {
  const [rows = []] = await runQueries(session, [query], signal, options)
  return rows
}

/**
 * One query for each piece of a list of values, each short enough for an address; none for an empty list.
 * @param build makes the query of some of the values.
 */
export function queriesFor<Item>(
  items: readonly Item[],
  bytesOf: (item: Item) => number,
  build: (items: readonly Item[]) => Soql,
): Soql[] {
  if (items.length === 0) return []
  const room = MOST_QUERY_BYTES - encodedBytes(build(items.slice(0, 1)).text)
  const queries: Soql[] = []
  let some: Item[] = []
  let used = 0
  for (const item of items) {
    const bytes = bytesOf(item)
    if (some.length > 0 && used + bytes > room) {
      queries.push(build(some))
      some = []
      used = 0
    }
    some.push(item)
    used += bytes
  }
  return [...queries, build(some)]
}

/** Bytes that a quoted value takes in an address. */
export function literalBytes(value: string): number {
  return encodedBytes(`'${value}',`)
}

function encodedBytes(text: string): number {
  return encodeURIComponent(text).length
}

async function firstPages(
  session: Session,
  queries: readonly Soql[],
  signal: AbortSignal,
  { withDeleted = false }: QueryOptions,
): Promise<Page[]> {
  const resource = withDeleted ? 'queryAll' : 'query'
  const pathOf = ({ text }: Soql) => `/${resource}?q=${encodeURIComponent(text)}`
  const [only, ...others] = queries
  if (only && others.length === 0 && encodedBytes(only.text) <= MOST_ALONE_BYTES) {
    const endpoint = `GET ${resource}`
    const call = { kind: 'read', method: 'GET', path: pathOf(only), endpoint } as const
    return [parsed(await sendOrThrow(session, call, signal), pageShape, endpoint)]
  }
  const version = await apiVersion(session, signal)
  const compositeRequest = queries.map((query, index) => ({
    method: 'GET',
    url: `/services/data/v${version}${pathOf(query)}`,
    referenceId: `q${index}`,
  }))
  const json = { allOrNone: false, compositeRequest }
  const call = {
    kind: 'read',
    method: 'POST',
    path: '/composite',
    endpoint: COMPOSITE,
    json,
    limitIn: limitInParts,
  } as const
  const answer = await sendOrThrow(session, call, signal)
  const { compositeResponse } = parsed(answer, compositeShape, COMPOSITE)
  return queries.map((_, index) => {
    const part = compositeResponse.find(({ referenceId }) => referenceId === `q${index}`)
    if (!part) throw unreadable(COMPOSITE)
    if (part.httpStatusCode >= 400) throw failureOf(session, part)
    const page = pageShape.safeParse(part.body)
    if (!page.success) throw unreadable(COMPOSITE)
    return page.data
  })
}

type Part = z.output<typeof compositeShape>['compositeResponse'][number]

/** A query that fails in a call of several fails as it would have by itself. */
function failureOf({ place }: Session, { httpStatusCode: status, body }: Part): SyncFailure {
  const answer = { status, headers: {}, text: JSON.stringify(body) }
  return failureToThrow(classifyError(answer, { ...place, endpoint: ENDPOINT }), ENDPOINT)
}

/** Of the parts of a composite answer, the pause that one asks for. */
function limitInParts({ text }: Answer): AskedPause | null {
  const parts = compositeShape.safeParse(parseJson(text)).data?.compositeResponse ?? []
  const errors = parts.flatMap(({ httpStatusCode, body }) =>
    httpStatusCode >= 400 ? parseWireErrors(body) : [],
  )
  return pauseInRows(errors)
}

/** A page says by its link alone that there are more; a row too few is a failed read, never a shorter list. */
async function allRows(session: Session, first: Page, signal: AbortSignal): Promise<Row[]> {
  const rows: Row[] = [...first.records]
  let page = first
  while (!page.done || page.nextRecordsUrl !== undefined) {
    const path = /\/query(?:All)?\/[^/?#]+$/.exec(page.nextRecordsUrl ?? '')?.[0]
    if (path === undefined) throw unreadable(ENDPOINT)
    const call = { kind: 'read', method: 'GET', path, endpoint: 'GET query/{locator}' } as const
    const result = await sendData(session, call, signal)
    if (!result.ok) throw failureToThrow(result.failure, call.endpoint)
    page = parsed(result.answer, pageShape, call.endpoint)
    rows.push(...page.records)
  }
  if (rows.length !== first.totalSize) throw unreadable(ENDPOINT)
  return rows
}

/** The text of a field; null when it is empty, or none. */
export function textOf(row: Row, field: string): string | null {
  const value = row[field]
  if (typeof value === 'string') return value === '' ? null : value
  return typeof value === 'number' || typeof value === 'boolean' ? String(value) : null
}

/** A record in a record, such as the account of a contact. */
export function parentOf(row: Row, relationship: string): Row | null {
  const value = row[relationship]
  return typeof value === 'object' && value !== null && !Array.isArray(value)
    ? (value as Row)
    : null
}

/** The id of a row; empty for one that has none, which no query gives. */
export const idOf = (row: Row): string => textOf(row, 'Id') ?? ''
