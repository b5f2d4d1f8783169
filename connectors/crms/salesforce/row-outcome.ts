import { RateLimitedError, type SyncFailure } from '../../../src/core/errors.ts'
import type { WriteOutcome } from '../../../src/core/ports/crm.ts'
import type { Saved } from './collections.ts'
import { describeRowError, rowErrorKind } from './error-codes.ts'
import { pauseInRows } from './limits-said.ts'
import type { WireError } from './wire-errors.ts'
import type { WriteInput } from './write-inputs.ts'

/** A row that somebody else holds is sent again so often, a little later each time. */
export const LOCKED_ROUNDS = 4
export const LOCKED_AFTER_MS = 250

/** What an answer says of one input; all but the outcomes of the port must be looked into. */
export type RowOutcome =
  | WriteOutcome
  | {
      readonly kind: 'absent' | 'converted' | 'duplicate' | 'locked' | 'limit'
      readonly error: WireError
    }

/** Where outcomes are gathered, and the first failure at which nothing was sent. */
export interface Settling {
  readonly settled: Map<WriteInput, RowOutcome>
  unsent: SyncFailure | null
  /** True once a call may have changed something. */
  isUnderWay: boolean
}

/** The failure that pauses an org, if one of these rows says that it takes no more. */
export function limitAmong(errors: readonly WireError[]): RateLimitedError | null {
  const pause = pauseInRows(errors)
  if (pause === null) return null
  const message = `Salesforce asks for a pause (${pause.why}) in the rows of a call.`
  return new RateLimitedError(message, pause.pauseMs)
}

const UNKNOWN: WriteOutcome = { kind: 'unknown' }

/** One answer of a call as the outcome of its input. */
export function toOutcome(input: WriteInput, saved: Saved | undefined): RowOutcome {
  if (!saved || saved.kind === 'unknown') return UNKNOWN
  if (saved.kind === 'saved') return { kind: 'written', crmId: saved.id, created: saved.created }
  const { error } = saved
  const kind = rowErrorKind(error)
  switch (kind) {
    case 'refused':
      return rejected(input, error)
    case 'absent':
    case 'converted':
      // Of a new record these are about another one, such as its account or owner.
      return input.crmId === null ? rejected(input, error) : { kind, error }
    case 'locked':
    case 'limit':
    case 'duplicate':
      return { kind, error }
  }
}

function rejected(input: WriteInput, error: WireError): WriteOutcome {
  const values = Object.values(input.fields).flatMap((value) =>
    typeof value === 'string' ? [value] : [],
  )
  const reason = describeRowError(error, values)
  return { kind: 'rejected', reason, code: error.code || null, correlationId: null }
}
