import { RetryableError } from '../../src/core/errors.ts'

/** So many calls in a row without a certain answer are an outage, and not the fault of a record. */
const OUTAGE = 24
/** How often a record is sent alone before it is given up. */
const ALONE = 3

/**
 * What went wrong in one pass over a CRM. A record whose batch was answered by nothing certain is sent
 * again in a batch of the same size, then in halves, until it is alone: a record at which the CRM stumbles
 * each time costs about two calls for each halving, and the others of its batch get through.
 */
export interface Doubts {
  /** Largest batch in which the record may be sent; 0 when it is to be given up. */
  batchSize(ref: string): number
  /** How the records of a write call came out. @throws {RetryableError} in an outage. */
  answered(settled: readonly string[], doubtful: readonly string[]): void
  /** A record needs no call any more. */
  dropped(ref: string): void
  /** A slice of records was looked at, or could not be. @throws {RetryableError} in an outage. */
  looked(failure: RetryableError | null): void
  /** True while another round is worth it for them. */
  readonly isAny: boolean
  /** The CRM is out of order: nothing more is to be tried now. */
  readonly isOutage: boolean
  /** Begins a round; the failures of the last one are forgotten. */
  nextRound(): void
  /** The last failure of this round. */
  readonly failure: RetryableError | null
}

export function createDoubts(maxBatch: number): Doubts {
  const sizes = ladder(maxBatch)
  const levels = new Map<string, number>()
  const writes = outageAfter(OUTAGE)
  const looks = outageAfter(OUTAGE)
  let failure: RetryableError | null = null
  let isOutage = false
  const orOutage = (count: () => boolean, error: RetryableError | null) => {
    if (!count() || error === null) return
    isOutage = true
    throw error
  }
  return {
    batchSize: (ref) => sizes[levels.get(ref) ?? 0] ?? 0,
    answered(settled, doubtful) {
      for (const ref of settled) levels.delete(ref)
      for (const ref of doubtful) levels.set(ref, (levels.get(ref) ?? 0) + 1)
      const words = `${OUTAGE} write calls in a row were not answered for certain`
      orOutage(() => writes(settled.length === 0), new RetryableError(words))
    },
    dropped: (ref) => void levels.delete(ref),
    looked(failed) {
      failure = failed ?? failure
      orOutage(() => looks(failed !== null), failed)
    },
    get isAny() {
      return levels.size > 0 || failure !== null
    },
    get isOutage() {
      return isOutage
    },
    nextRound() {
      failure = null
    },
    get failure() {
      return failure
    },
  }
}

/** Counts failures in a row; true at the one that is too much. */
function outageAfter(most: number): (isFailure: boolean) => boolean {
  let inARow = 0
  return (isFailure) => {
    inARow = isFailure ? inARow + 1 : 0
    return inARow >= most
  }
}

/** Twice as it was, since most failures pass; then halves; then alone. */
function ladder(maxBatch: number): readonly number[] {
  const sizes = [maxBatch]
  for (let size = maxBatch; size > 1; size = Math.ceil(size / 2)) sizes.push(size)
  return [...sizes, ...Array.from({ length: ALONE }, () => 1)]
}
