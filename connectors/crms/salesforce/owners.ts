import type { CrmOwner } from '../../../src/core/ports/crm.ts'
import { idOf, type Row, runQueries, textOf } from './query.ts'
import type { Session } from './session.ts'
import { soql } from './soql.ts'

const USERS = soql`SELECT Id, Name, Email, IsActive, TimeZoneSidKey FROM User WHERE UserType = 'Standard' ORDER BY Id`
const GROUPS = soql`SELECT Id, Name, Email FROM Group WHERE Type = 'Queue'`
const QUEUES = soql`SELECT QueueId, SobjectType FROM QueueSobject`

/**
 * Who records may belong to: users, those who have left too, and queues. A queue counts as active when
 * tasks may be given to it.
 */
export async function readOwners(session: Session, signal: AbortSignal): Promise<CrmOwner[]> {
  const [users = [], groups = [], queues = []] = await runQueries(
    session,
    [USERS, GROUPS, QUEUES],
    signal,
  )
  // One row for each object that a queue is for.
  const ofTasks = new Set(
    queues.flatMap((row) => (textOf(row, 'SobjectType') === 'Task' ? textOf(row, 'QueueId') : [])),
  )
  return [...users.map(toUser), ...groups.map((row) => toQueue(row, ofTasks))]
}

function toUser(row: Row): CrmOwner {
  const id = idOf(row)
  const email = textOf(row, 'Email')?.toLowerCase() ?? null
  const active = row['IsActive'] === true
  const name = textOf(row, 'Name') ?? id
  return { id, email, name, active, userId: id, timeZone: zoneOf(textOf(row, 'TimeZoneSidKey')) }
}

/** Salesforce names zones as Java does, which is mostly by their IANA names; any other name is none. */
function zoneOf(name: string | null): string | null {
  try {
    return name === null ? null : new Intl.DateTimeFormat('en', { timeZone: name }) && name
  } catch {
    return null
  }
}

function toQueue(row: Row, ofTasks: ReadonlySet<string | null>): CrmOwner {
  const id = idOf(row)
  const email = textOf(row, 'Email')?.toLowerCase() ?? null
  return { id, email, name: textOf(row, 'Name') ?? id, active: ofTasks.has(id), userId: null }
}
