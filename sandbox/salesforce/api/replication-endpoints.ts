import type { ApiReply } from '../../reply-sender.ts'
import type { ObjectTable } from '../object-table.ts'
import type { OrgState } from '../org-state.ts'
import { badRequest } from '../salesforce-error.ts'
import { readDateTime, showDateTime, wholeSecond } from '../salesforce-time.ts'
import { type ApiCall, type ApiEndpoint, dataEndpoint } from './api-endpoint.ts'

const MINUTE_MS = 60_000
const DAY_MS = 86_400_000
const MAX_IDS = 600_000
/** getUpdated looks back so far, getDeleted half of it. */
const UPDATED_DAYS = 30
const DELETED_DAYS = 15

/** What changed and what was deleted within a time. */
export function replicationEndpoints(state: OrgState): ApiEndpoint[] {
  return [
    dataEndpoint('get', '/sobjects/:object/updated', 'changes', (call) => {
      const { table, start, end } = readSpan(state, call, UPDATED_DAYS)
      const covered = coveredUntil(state, end)
      const ids = [...table.modified.between(start, covered)].filter((id) => table.live(id))
      if (ids.length > MAX_IDS) {
        throw badRequest('EXCEEDED_ID_LIMIT', 'EXCEEDED_ID_LIMIT: too many records changed')
      }
      return { status: 200, body: { ids, latestDateCovered: showDateTime(covered) } }
    }),
    dataEndpoint('get', '/sobjects/:object/deleted', 'changes', (call) =>
      deletedIn(state, readSpan(state, call, DELETED_DAYS)),
    ),
  ]
}

interface Span {
  readonly table: ObjectTable
  readonly start: number
  readonly end: number
}

function deletedIn(state: OrgState, { table, start, end }: Span): ApiReply {
  const covered = coveredUntil(state, end)
  const earliest = Math.max(state.deletedSince, wholeSecond(state.now() - DELETED_DAYS * DAY_MS))
  const deletedRecords = [...table.deleted.between(Math.max(start, earliest), covered)].flatMap(
    (id) => {
      const row = table.rows.get(id)
      if (row === undefined || row.values['IsDeleted'] !== true) return []
      const last = row.history.findLast(({ what }) => what === 'delete' || what === 'merge')
      return [{ id, deletedDate: showDateTime(last?.at ?? covered) }]
    },
  )
  return {
    status: 200,
    body: {
      deletedRecords,
      earliestDateAvailable: showDateTime(earliest),
      latestDateCovered: showDateTime(covered),
    },
  }
}

/** A transaction that is still open may yet write with an earlier stamp; nothing after its start is promised. */
function coveredUntil(state: OrgState, end: number): number {
  return wholeSecond(Math.min(end, state.now(), ...state.openSince))
}

function readSpan(state: OrgState, call: ApiCall, days: number): Span {
  const table = state.table(call.params['object'] ?? '')
  if (!table.definition.replicateable) {
    throw badRequest(
      'INVALID_TYPE',
      `the entity type ${table.definition.name} is not replicateable`,
    )
  }
  const start = readMoment(call.query.get('start'))
  const end = readMoment(call.query.get('end'))
  const now = state.now()
  if (end - start < MINUTE_MS) {
    throw badRequest(
      'INVALID_REPLICATION_DATE',
      'endDate must be at least 1 minute greater than startDate',
    )
  }
  if (start < now - days * DAY_MS) {
    throw badRequest(
      'INVALID_REPLICATION_DATE',
      `startDate before org replication enabled date, or more than ${days} days ago`,
    )
  }
  return { table, start, end }
}

function readMoment(text: string | null): number {
  // A plus sign that was not encoded arrives as a space.
  const at = readDateTime((text ?? '').replace(' ', '+'))
  if (at === undefined) {
    throw badRequest('INVALID_REPLICATION_DATE', `${text ?? 'nothing'} is no date`)
  }
  return at
}
