import type { OrgState } from '../org-state.ts'
import { RowError } from '../salesforce-error.ts'
import type { RowValues } from '../stored-row.ts'

/** The first API version in which a task may belong to a queue. */
const QUEUE_TASKS_SINCE = 48
/** Objects that may belong to somebody who left. */
const LENIENT = new Set(['Account', 'Opportunity'])

/** Who may own a record that is given to somebody. */
export function checkOwner(
  state: OrgState,
  object: string,
  values: RowValues,
  apiVersion: string,
): void {
  const owner = state.record(values['OwnerId'])
  if (owner === undefined) return
  if (owner.object === 'User') {
    if (owner.values['IsActive'] === true || LENIENT.has(object)) return
    throw new RowError(
      'INACTIVE_OWNER_OR_USER',
      `operation performed with inactive user [${owner.id}] as owner of ${object.toLowerCase()}`,
    )
  }
  const enabled = [...state.table('QueueSobject').find('QueueId', owner.id)]
  const isFor = enabled.some((row) => row.values['SobjectType'] === object)
  const isTooOld = object === 'Task' && Number(apiVersion) < QUEUE_TASKS_SINCE
  if (owner.values['Type'] === 'Queue' && isFor && !isTooOld) return
  const label = object === 'Task' ? 'Assigned To ID' : 'Owner ID'
  throw new RowError(
    'FIELD_INTEGRITY_EXCEPTION',
    `${label}: id value of incorrect type: ${owner.id}`,
    ['OwnerId'],
  )
}
