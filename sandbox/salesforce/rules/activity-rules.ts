import type { Value } from '../field-definition.ts'
import type { OrgState } from '../org-state.ts'
import { RowError } from '../salesforce-error.ts'
import { readDateTime, showDate, showDateTime } from '../salesforce-time.ts'
import type { RowValues } from '../stored-row.ts'

/** What a task or an event must keep to, and what Salesforce works out of it. */
export function activityValues(
  state: OrgState,
  object: string,
  next: RowValues,
  { before, at }: { readonly before: RowValues | null; readonly at: number },
): Record<string, Value> {
  const who = state.record(next['WhoId'])
  const what = state.record(next['WhatId'])
  if (who?.object === 'Lead') {
    if (what !== undefined) {
      throw new RowError(
        'FIELD_INTEGRITY_EXCEPTION',
        'Related To ID: an activity about a lead cannot be related to another record',
        ['WhatId'],
      )
    }
    if (who.values['IsConverted'] === true && before?.['WhoId'] !== who.id) {
      throw new RowError('CANNOT_UPDATE_CONVERTED_LEAD', 'cannot reference converted lead', [
        'WhoId',
      ])
    }
  }
  const shared = {
    AccountId: accountOf(what) ?? accountOf(who) ?? null,
    WhoCount: who === undefined ? 0 : 1,
    WhatCount: what === undefined ? 0 : 1,
  }
  if (object === 'Event') return { ...shared, ...eventTimes(next) }
  return { ...shared, ...taskState(state, next, before, at) }
}

function accountOf(row: { object: string; values: RowValues } | undefined): Value | undefined {
  if (row?.object === 'Account') return row.values['Id']
  return row?.object === 'Lead' ? undefined : row?.values['AccountId']
}

function taskState(
  state: OrgState,
  next: RowValues,
  before: RowValues | null,
  at: number,
): Record<string, Value> {
  const closes = [...state.table('TaskStatus').find('ApiName', next['Status'] ?? null)]
  const isClosed = closes.some((status) => status.values['IsClosed'] === true)
  const wasClosed = before?.['IsClosed'] === true
  const done = wasClosed ? (before?.['CompletedDateTime'] ?? null) : showDateTime(at)
  return {
    IsClosed: isClosed,
    CompletedDateTime: isClosed ? done : null,
    IsHighPriority: next['Priority'] === 'High',
    TaskSubtype: next['TaskSubtype'] ?? 'Task',
  }
}

/** An event's start and end follow from whichever of its times are given. */
function eventTimes(next: RowValues): Record<string, Value> {
  const start = next['StartDateTime'] ?? next['ActivityDateTime'] ?? null
  const minutes = next['DurationInMinutes']
  const from = typeof start === 'string' ? readDateTime(start) : undefined
  if (from === undefined) {
    if ((next['ActivityDate'] ?? null) !== null && next['IsAllDayEvent'] === true) return {}
    throw missing('StartDateTime')
  }
  const given = typeof next['EndDateTime'] === 'string' ? readDateTime(next['EndDateTime']) : null
  const until = typeof minutes === 'number' ? from + minutes * 60_000 : given
  if (until === null || until === undefined) throw missing('DurationInMinutes')
  return {
    StartDateTime: showDateTime(from),
    ActivityDateTime: showDateTime(from),
    ActivityDate: showDate(from),
    EndDateTime: showDateTime(until),
    EndDate: showDate(until),
    DurationInMinutes: Math.round((until - from) / 60_000),
    EventSubtype: 'Event',
  }
}

function missing(name: string): RowError {
  return new RowError('REQUIRED_FIELD_MISSING', `Required fields are missing: [${name}]`, [name])
}
