import { RetryableError } from '../../../src/core/errors.ts'
import { MAX_BATCH, updateRecords } from './collections.ts'
import { describeRowError, rowErrorKind } from './error-codes.ts'
import { idsOf, objectOf } from './objects.ts'
import { idOf, literalBytes, queriesFor, runQueries, textOf } from './query.ts'
import { chunks, failureToThrow, type Session } from './session.ts'
import { soql } from './soql.ts'

const ENDPOINT = 'PATCH composite/sobjects'

export interface ContactCompanyPair {
  readonly contactId: string
  readonly companyId: string
}

/**
 * Puts each contact under its account. A contact has one account: one that has another is left where it is,
 * and so is a person account, which is its own. A lead has none before it is converted. Doing it twice
 * changes nothing, so a doubtful call is a failure that may be repeated.
 */
export async function associatePairs(
  session: Session,
  pairs: readonly ContactCompanyPair[],
  signal: AbortSignal,
): Promise<(string | null)[]> {
  const contactIds = pairs.map(({ contactId }) => contactId)
  const accounts = await readAccounts(session, contactIds, signal)
  const reasons = new Map<string, string>()
  const free: ContactCompanyPair[] = []
  for (const pair of new Map(pairs.map((one) => [nameOf(one), one])).values()) {
    if (objectOf(pair.contactId) === 'Lead') continue
    const account = accounts.get(pair.contactId)
    if (account === undefined) reasons.set(nameOf(pair), 'There is no such contact any more.')
    else if (account === null) free.push(pair)
    else if (account !== pair.companyId) {
      reasons.set(nameOf(pair), `The contact is under the account ${account}; it is left there.`)
    }
  }
  const sorted = free.toSorted((a, b) => (a.companyId < b.companyId ? -1 : 1))
  for (const batch of chunks(sorted, MAX_BATCH)) {
    for (const [pair, reason] of await associateBatch(session, batch, signal)) {
      reasons.set(nameOf(pair), reason)
    }
  }
  return pairs.map((pair) => reasons.get(nameOf(pair)) ?? null)
}

async function associateBatch(
  session: Session,
  batch: readonly ContactCompanyPair[],
  signal: AbortSignal,
): Promise<[ContactCompanyPair, string][]> {
  const records = batch.map(({ contactId, companyId }) => ({
    id: contactId,
    fields: { AccountId: companyId },
  }))
  const answer = await updateRecords(session, 'Contact', records, { allowDuplicates: true }, signal)
  if (!answer.ok) throw failureToThrow(answer.failure, ENDPOINT)
  return batch.flatMap((pair, index): [ContactCompanyPair, string][] => {
    const saved = answer.saved[index]
    if (saved?.kind === 'saved') return []
    if (saved?.kind !== 'error' || rowErrorKind(saved.error) === 'locked') {
      throw new RetryableError(`Salesforce could not answer all of ${ENDPOINT}.`)
    }
    return [[pair, describeRowError(saved.error, [])]]
  })
}

/** The account that each contact is under; null for one without, absent for one that is gone. */
async function readAccounts(
  session: Session,
  ids: readonly string[],
  signal: AbortSignal,
): Promise<Map<string, string | null>> {
  const queries = queriesFor(idsOf('Contact', ids), literalBytes, (some) => {
    return soql`SELECT Id, AccountId FROM Contact WHERE Id IN ${some}`
  })
  const rows = (await runQueries(session, queries, signal)).flat()
  return new Map(rows.map((row) => [idOf(row), textOf(row, 'AccountId')]))
}

function nameOf(pair: ContactCompanyPair): string {
  return `${pair.contactId}:${pair.companyId}`
}
