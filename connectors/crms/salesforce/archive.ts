import { RetryableError } from '../../../src/core/errors.ts'
import { deleteRecords, MAX_BATCH, type Saved } from './collections.ts'
import { describeRowError, rowErrorKind } from './error-codes.ts'
import { isId } from './objects.ts'
import { chunks, failureToThrow, type Session } from './session.ts'

const ENDPOINT = 'DELETE composite/sobjects'

/**
 * Puts records into the recycle bin, where they stay for 15 days. One that is gone is done, and doing it
 * twice changes nothing, so a doubtful call is a failure that may be repeated.
 */
export async function archiveRecords(
  session: Session,
  crmIds: readonly string[],
  signal: AbortSignal,
): Promise<(string | null)[]> {
  const reasons = new Map<string, string>()
  // What is no id is no record: there is nothing to put away.
  for (const ids of chunks([...new Set(crmIds)].filter(isId), MAX_BATCH)) {
    const answer = await deleteRecords(session, ids, signal)
    if (!answer.ok) throw failureToThrow(answer.failure, ENDPOINT)
    for (const [index, id] of ids.entries()) {
      const reason = reasonOf(answer.saved[index])
      if (reason !== null) reasons.set(id, reason)
    }
  }
  return crmIds.map((id) => reasons.get(id) ?? null)
}

function reasonOf(saved: Saved | undefined): string | null {
  if (saved?.kind === 'saved') return null
  if (saved?.kind !== 'error') {
    throw new RetryableError(`Salesforce's answer to ${ENDPOINT} is incomplete.`)
  }
  const kind = rowErrorKind(saved.error)
  if (kind === 'locked') throw new RetryableError(`Salesforce could not answer ${ENDPOINT} now.`)
  return kind === 'absent' ? null : describeRowError(saved.error, [])
}
