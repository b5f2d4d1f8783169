import type { WireError } from './wire-errors.ts'

/** What an error of one record asks for. */
export type RowErrorKind =
  /** Somebody else holds it, or the org is busy: nothing happened, and it may be sent again. */
  | 'locked'
  /** There is no such record any more: merged, deleted, or never there. */
  | 'absent'
  /** The lead has become a contact. */
  | 'converted'
  /** A duplicate rule says that there is one already. */
  | 'duplicate'
  /** The org takes no more calls. */
  | 'limit'
  /** A person must look at it. */
  | 'refused'

const LOCKED = new Set(['UNABLE_TO_LOCK_ROW', 'SERVER_UNAVAILABLE', 'REQUEST_RUNNING_TOO_LONG'])
const ABSENT = new Set(['ENTITY_IS_DELETED', 'NOT_FOUND', 'INVALID_CROSS_REFERENCE_KEY'])
const LIMITS = new Set(['REQUEST_LIMIT_EXCEEDED', 'STORAGE_LIMIT_EXCEEDED', 'API_DISABLED_FOR_ORG'])

/** Classifies the error of one record; a trigger of the org may wrap a lock in a code of its own. Pure. */
export function rowErrorKind({ code, message }: WireError): RowErrorKind {
  if (LOCKED.has(code)) return 'locked'
  if (code === 'CANNOT_INSERT_UPDATE_ACTIVATE_ENTITY') {
    return /UNABLE_TO_LOCK_ROW|Too many SOQL queries/.test(message) ? 'locked' : 'refused'
  }
  if (code === 'CANNOT_UPDATE_CONVERTED_LEAD') return 'converted'
  if (code === 'DUPLICATES_DETECTED') return 'duplicate'
  if (LIMITS.has(code)) return 'limit'
  return ABSENT.has(code) ? 'absent' : 'refused'
}

/** Salesforce's words of an error, with the values that were sent taken out. */
export function describeRowError(error: WireError, values: readonly string[]): string {
  const { code, message, fields } = error
  let words = message
  const ours = [...new Set(values)].filter((value) => value.length > 2)
  for (const value of ours.toSorted((a, b) => b.length - a.length)) {
    words = words.replaceAll(value, '…')
  }
  // Whatever else looks like an address of a person: Salesforce also quotes the records of others.
  words = words.replace(/[^\s@<>"']+@[^\s@<>"']+/g, '…').slice(0, 400)
  const named = fields.length > 0 ? ` (${fields.join(', ')})` : ''
  return `${code || 'refused'}${named}${words === '' ? '' : `: ${words}`}`
}
