import type { SyncFailure } from '../../../src/core/errors.ts'
import type { WriteOutcome } from '../../../src/core/ports/crm.ts'
import type { Saved } from './collections.ts'
import { describeRowError, rowErrorKind } from './error-codes.ts'
import type { WireError } from './wire-errors.ts'
import type { WriteInput } from './write-inputs.ts'

/** What an answer says of one input; the last four must be looked into. */
export type RowOutcome =
  | WriteOutcome
  | { readonly kind: 'absent' | 'converted' | 'duplicate' | 'locked'; readonly error: WireError }

/** Where outcomes are gathered, and the first failure at which nothing was sent. */
export interface Settling {
  readonly settled: Map<WriteInput, RowOutcome>
  unsent: SyncFailure | null
  /** True once a call may have changed something. */
  isUnderWay: boolean
}

const UNKNOWN: WriteOutcome = { kind: 'unknown' }

/** One answer of a call as the outcome of its input. */
export function toOutcome(input: WriteInput, saved: Saved | undefined): RowOutcome {
  if (!saved || saved.kind === 'unknown') return UNKNOWN
  if (saved.kind === 'saved') return { kind: 'written', crmId: saved.id, created: saved.created }
  const { error } = saved
  const kind = rowErrorKind(error)
  switch (kind) {
    case 'limit':
      return UNKNOWN
    case 'refused':
      return rejected(input, error)
    case 'absent':
    case 'converted':
      // Of a new record these are about another one, such as its account or owner.
      return input.crmId === null ? rejected(input, error) : { kind, error }
    case 'locked':
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
