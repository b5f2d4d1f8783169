import { z } from 'zod'
import type {
  ChangedObject,
  ChangePage,
  ChangeQuery,
  CrmChange,
} from '../../../src/core/ports/crm.ts'
import {
  type Cursor,
  cursorText,
  type Pass,
  type Place,
  parseCursor,
  wholeMinute,
  windowFrom,
} from './change-cursor.ts'
import { describe } from './describe.ts'
import { idOf, literalBytes, queriesFor, type Row, runQueries, runQuery, textOf } from './query.ts'
import { failureToThrow, parsed, type Session, sendData, sendOrThrow } from './session.ts'
import { name, names, type Soql, soql } from './soql.ts'
import { readInstant, readValue } from './wire-instant.ts'

const POLLED: Readonly<Record<ChangedObject, readonly string[]>> = {
  contact: ['Contact', 'Lead'],
  company: ['Account'],
  deal: ['Opportunity'],
  task: ['Task'],
}
/** Rows of one page where all of a window are read in order. */
const PAGE = 2_000
/** So many changed records are read by their ids; more by the instants of the window. */
const MOST_IDS = 1_500
/** Deletions are asked for no more often: each asking is a call, and a record that is gone is noticed anyway. */
const DELETED_EVERY_MS = 10 * 60_000
/** Salesforce answers for 30 days back. */
const MOST_BACK_MS = 29 * 86_400_000
const STAMP = 'SystemModstamp'

/**
 * The changes after a cursor, one object after the other. Which window is complete Salesforce says itself
 * (`latestDateCovered`): a transaction that is still under way shows its changes late, with early times.
 */
export async function changedSince(
  session: Session,
  object: ChangedObject,
  query: ChangeQuery,
  signal: AbortSignal,
): Promise<ChangePage> {
  const objects = POLLED[object]
  if (query.cursor === null) {
    const from = session.now().getTime() - query.overlapMs
    const place = { from, deletedFrom: from, pass: null }
    const places = Object.fromEntries(objects.map((one) => [one, place]))
    return { changes: [], cursor: cursorText({ turn: 0, places }), more: false }
  }
  const cursor = parseCursor(query.cursor)
  const turn = cursor.turn < objects.length ? cursor.turn : 0
  const one = objects[turn] ?? ''
  const { fields } = await describe(session, one, signal)
  // What only the other of two objects has is empty here.
  const there = query.properties.filter((property) => fields.has(property))
  const scope: Scope = { session, object: one, query, there, signal }
  const step = await nextPage(scope, placeOf(cursor, one, session, query))
  const { changes, place, isDone } = step
  const next = isDone ? turn + 1 : turn
  const more = next < objects.length
  const places = { ...cursor.places, [one]: place }
  const page = { changes, cursor: cursorText({ turn: more ? next : 0, places }), more }
  return step.lost ? { ...page, lost: true } : page
}

interface Scope {
  readonly session: Session
  readonly object: string
  readonly query: ChangeQuery
  /** Of the properties that are asked for, those that the object has. */
  readonly there: readonly string[]
  readonly signal: AbortSignal
}

interface Step {
  readonly changes: readonly CrmChange[]
  readonly place: Place
  readonly isDone: boolean
  readonly lost?: boolean
}

function placeOf(cursor: Cursor, object: string, session: Session, query: ChangeQuery): Place {
  const oldest = session.now().getTime() - MOST_BACK_MS
  const known = cursor.places[object]
  if (!known)
    return { from: oldest + MOST_BACK_MS - query.overlapMs, deletedFrom: oldest, pass: null }
  return { ...known, from: Math.max(known.from, oldest) }
}

async function nextPage(scope: Scope, place: Place): Promise<Step> {
  if (place.pass !== null) return pageOf(scope, place, place.pass)
  const { session, object, query, signal } = scope
  const span = windowFrom(place.from, session.now().getTime())
  if (span === null) return { changes: [], place, isDone: true }
  const { start, end } = span
  const { replicateable } = await describe(session, object, signal)
  const updated = replicateable ? await readUpdated(scope, start, end) : null
  // Where the org tells nothing of late commits, the overlap makes up for them.
  const next = updated?.covered ?? Math.max(start, end - query.overlapMs)
  const gone = await readDeleted(scope, place, end, replicateable)
  const opened = { ...place, deletedFrom: gone.from }
  if (updated && updated.ids.length <= MOST_IDS) {
    const changes = [...gone.changes, ...(await readByIds(scope, updated.ids))]
    const { lost } = gone
    return { changes, place: { ...opened, from: next, pass: null }, isDone: true, lost }
  }
  const page = await pageOf(scope, opened, { start, end, next, after: null })
  return { ...page, changes: [...gone.changes, ...page.changes], lost: gone.lost }
}

/** All of a window in the order of instant and id, a page at a time: there may be many of one instant. */
async function pageOf(scope: Scope, place: Place, pass: Pass): Promise<Step> {
  const { start, end, after } = pass
  const stamp = name(STAMP)
  const begin = after === null ? new Date(start) : new Date(after.at)
  const beyond =
    after === null
      ? soql`${stamp} >= ${begin}`
      : soql`(${stamp} > ${begin} OR (${stamp} = ${begin} AND Id > ${after.id}))`
  const query = soql`SELECT ${columns(scope)} FROM ${name(scope.object)} WHERE ${beyond} AND ${stamp} < ${new Date(end)}${having(scope)} ORDER BY ${stamp}, Id LIMIT ${PAGE}`
  const rows = await runQuery(scope.session, query, scope.signal)
  const last = rows.at(-1)
  const changes = rows.map((row) => toChange(scope, row))
  const at = last && readInstant(textOf(last, STAMP))
  if (last && at && rows.length >= PAGE) {
    return {
      changes,
      place: { ...place, pass: { ...pass, after: { at, id: idOf(last) } } },
      isDone: false,
    }
  }
  return { changes, place: { ...place, from: pass.next, pass: null }, isDone: true }
}

async function readByIds(scope: Scope, ids: readonly string[]): Promise<CrmChange[]> {
  const queries = queriesFor([...new Set(ids)], literalBytes, (some) => {
    return soql`SELECT ${columns(scope)} FROM ${name(scope.object)} WHERE Id IN ${some}${having(scope)}`
  })
  const rows = (await runQueries(scope.session, queries, scope.signal)).flat()
  const changes = rows.map((row) => toChange(scope, row))
  return changes.toSorted((a, b) => compare(a.changedAt, b.changedAt) || compare(a.crmId, b.crmId))
}

function columns({ object, there }: Scope): Soql {
  const converted = object === 'Lead' ? ['IsConverted'] : []
  return names(['Id', STAMP, ...converted, ...there])
}

function having({ query }: Scope): Soql {
  return query.having === undefined ? soql`` : soql` AND ${name(query.having)} != null`
}

/** A lead that has become a contact is none any more. */
function toChange({ query }: Scope, row: Row): CrmChange {
  const changedAt = readInstant(textOf(row, STAMP)) ?? new Date(0).toISOString()
  if (row['IsConverted'] === true) {
    return { crmId: idOf(row), changedAt, archived: true, properties: null }
  }
  const values = query.properties.map((property) => [property, readValue(row[property])] as const)
  return { crmId: idOf(row), changedAt, properties: Object.fromEntries(values) }
}

const instant = z.string().transform((text, context) => {
  const at = readInstant(text)
  if (at !== null) return at
  context.addIssue('not a time')
  return z.NEVER
})
const updatedShape = z.object({ ids: z.array(z.string()), latestDateCovered: instant })
const deletedShape = z.object({
  deletedRecords: z.array(z.object({ id: z.string(), deletedDate: instant })),
  earliestDateAvailable: instant,
  latestDateCovered: instant,
})

interface Updated {
  readonly ids: readonly string[]
  readonly covered: number
}

/** Null when the org does not tell for this object, or not of so many as there are. */
async function readUpdated(scope: Scope, start: number, end: number): Promise<Updated | null> {
  const { session, object, signal } = scope
  const call = replicationCall(object, 'updated', start, end)
  const result = await sendData(session, call, signal)
  if (result.ok) {
    const { ids, latestDateCovered } = parsed(result.answer, updatedShape, call.endpoint)
    return { ids, covered: Date.parse(latestDateCovered) }
  }
  if (result.failure.kind === 'failed') throw failureToThrow(result.failure, call.endpoint)
  return null
}

/**
 * What was deleted or merged away; each record is named, with nothing about it. Salesforce remembers it for
 * some 15 days, and where much is deleted for hours: what it has forgotten is lost.
 */
async function readDeleted(
  { session, object, signal }: Scope,
  { deletedFrom }: Place,
  end: number,
  canAsk: boolean,
): Promise<{ changes: CrmChange[]; from: number; lost: boolean }> {
  const isDue = session.now().getTime() - deletedFrom >= DELETED_EVERY_MS
  if (!canAsk || !isDue) return { changes: [], from: deletedFrom, lost: false }
  const wanted = wholeMinute(deletedFrom)
  const start = Math.max(wanted, end - 14 * 86_400_000)
  const call = replicationCall(object, 'deleted', start, end)
  const answer = await sendOrThrow(session, call, signal)
  const body = parsed(answer, deletedShape, call.endpoint)
  const { deletedRecords, latestDateCovered, earliestDateAvailable } = body
  const changes = deletedRecords.map(({ id, deletedDate }) => {
    return { crmId: id, changedAt: deletedDate, archived: true, properties: null }
  })
  const told = Math.max(start, Date.parse(earliestDateAvailable))
  return { changes, from: Date.parse(latestDateCovered), lost: told > wanted }
}

function replicationCall(object: string, what: 'updated' | 'deleted', start: number, end: number) {
  const text = (at: number) =>
    encodeURIComponent(new Date(at).toISOString().replace('.000Z', '+00:00'))
  const path = `/sobjects/${object}/${what}?start=${text(start)}&end=${text(end)}`
  return { kind: 'read', method: 'GET', path, endpoint: `GET sobjects/${object}/${what}` } as const
}

function compare(a: string, b: string): number {
  return a < b ? -1 : Number(a > b)
}
