import { RetryableError } from '../../../src/core/errors.ts'
import { idOf, runQuery, textOf } from './query.ts'
import type { Session } from './session.ts'
import { soql } from './soql.ts'

export interface Organization {
  /** 18 characters. */
  readonly id: string
  /** In Salesforce's words, such as `Enterprise Edition`; a sandbox says so. */
  readonly type: string | null
  readonly timeZone: string | null
}

const QUERY = soql`SELECT Id, OrganizationType, IsSandbox, TimeZoneSidKey FROM Organization`

/** The org that the session is of. */
export async function readOrganization(
  session: Session,
  signal: AbortSignal,
): Promise<Organization> {
  const [row] = await runQuery(session, QUERY, signal)
  if (!row) throw new RetryableError('Salesforce does not tell which org this is.')
  const type = textOf(row, 'OrganizationType')
  const isSandbox = row['IsSandbox'] === true
  const words = [type, isSandbox ? 'sandbox' : null].filter((word) => word !== null).join(', ')
  return { id: idOf(row), type: words || null, timeZone: textOf(row, 'TimeZoneSidKey') }
}
