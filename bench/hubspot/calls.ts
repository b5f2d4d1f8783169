import type { SandboxCall } from '../../sandbox/hubspot/sandbox-call.ts'

export interface CallReport {
  readonly reads: number
  readonly writes: number
  /** Writes of records that were carried out, at least in part, and the records named in them. */
  readonly wholeWrites: number
  readonly recordsWritten: number
  readonly refused429: number
  readonly failed5xx: number
  readonly broken: number
  /**
   * Calls that count towards the ten-second limit, in each ten seconds of writing records in which calls
   * were to be made all the time: the median. 0 when it did not take that long.
   */
  readonly perTenSeconds: number
}

const RECORD_WRITE = /^\/crm\/[^/]+\/objects\/[^/]+\/batch\/(update|upsert)$/
const TEN_SECONDS_MS = 10_000

/** What the calls of one sync were. */
export function reportCalls(calls: readonly SandboxCall[]): CallReport {
  const writes = calls.filter((call) => call.kind === 'write')
  const isDone = ({ status }: SandboxCall) => status === 200 || status === 207
  const whole = writes.filter((call) => RECORD_WRITE.test(call.path) && isDone(call))
  return {
    reads: calls.length - writes.length,
    writes: writes.length,
    wholeWrites: whole.length,
    recordsWritten: whole.reduce((sum, call) => sum + call.inputs, 0),
    refused429: calls.filter((call) => call.status === 429).length,
    failed5xx: calls.filter((call) => call.status >= 500).length,
    broken: calls.filter((call) => call.status === 0).length,
    perTenSeconds: median(windows(calls)),
  }
}

/** Scripted failures are answered before anything is counted, as a gateway answers. */
function windows(calls: readonly SandboxCall[]): number[] {
  const counted = calls.filter(
    (call) =>
      call.status !== 502 &&
      !call.path.includes('/associations/') &&
      !call.path.endsWith('/search'),
  )
  const full = counted.filter((call) => RECORD_WRITE.test(call.path) && call.inputs >= 50)
  const first = full[0]?.at ?? 0
  const last = full.at(-1)?.at ?? 0
  const counts: number[] = []
  for (let from = first; from + TEN_SECONDS_MS <= last; from += TEN_SECONDS_MS) {
    counts.push(counted.filter((call) => call.at >= from && call.at < from + TEN_SECONDS_MS).length)
  }
  return counts
}

function median(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? 0
}
