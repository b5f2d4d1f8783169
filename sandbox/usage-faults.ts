import { setTimeout as sleep } from 'node:timers/promises'
import type { Response } from 'express'
import type { AskedRange } from './usage-calls.ts'

/** What goes wrong before the answer is made up. */
export type EarlyFault =
  | {
      readonly kind: 'status'
      readonly status: number
      readonly body?: string
      readonly headers?: Readonly<Record<string, string>>
    }
  /** The normal answer, later. */
  | { readonly kind: 'delay'; readonly ms: number }
  /** The connection breaks without an answer. */
  | { readonly kind: 'reset' }

/** What goes wrong with the bytes of a good answer. */
export type BytesFault =
  /** Half of the body, then the connection breaks. */
  | { readonly kind: 'half-body' }
  /** The whole body, in pieces of `bytes` every `everyMs`. */
  | { readonly kind: 'slow-drip'; readonly bytes: number; readonly everyMs: number }

const EARLY: readonly string[] = ['status', 'delay', 'reset'] satisfies EarlyFault['kind'][]

/** How often a fault plays, and for which requests; once and for all unless said otherwise. */
export interface FaultRule {
  readonly times?: number
  readonly when?: (range: AskedRange | null) => boolean
}

/** Faults that wait for their request. A request meets one at most: the oldest that fits it. */
export interface FaultScript<F> {
  add(fault: F, rule?: FaultRule): void
  clear(): void
  /** How many faults have not played yet. */
  pending(): number
}

/** The side of the script that the stand-in itself uses. */
export interface FaultPlayer<B> extends FaultScript<EarlyFault | B> {
  takeEarly(range: AskedRange | null): EarlyFault | undefined
  /** A fault of the body waits until an answer has one. */
  takeForBody(range: AskedRange | null): B | undefined
}

/** Starts an empty script. `B` names the faults that a good answer's body can have. */
export function createFaults<B extends { readonly kind: string }>(): FaultPlayer<B> {
  type Entry = { fault: EarlyFault | B; left: number; when: NonNullable<FaultRule['when']> }
  let entries: Entry[] = []
  const isEarly = (fault: EarlyFault | B): fault is EarlyFault => EARLY.includes(fault.kind)
  const isForBody = (fault: EarlyFault | B): fault is B => !isEarly(fault)
  const spend = (entry: Entry): void => {
    entry.left -= 1
    entries = entries.filter(({ left }) => left > 0)
  }
  const next = (range: AskedRange | null) => entries.find((entry) => entry.when(range))
  return {
    add(fault, { times = 1, when = () => true } = {}) {
      entries.push({ fault, left: times, when })
    },
    clear() {
      entries = []
    },
    pending: () => entries.reduce((sum, { left }) => sum + left, 0),
    takeEarly(range) {
      const entry = next(range)
      if (entry === undefined || !isEarly(entry.fault)) return undefined
      spend(entry)
      return entry.fault
    },
    takeForBody(range) {
      const entry = next(range)
      if (entry === undefined || !isForBody(entry.fault)) return undefined
      spend(entry)
      return entry.fault
    },
  }
}

/** Plays a fault that comes before the answer; true when that was the answer. */
export async function playEarly(res: Response, fault: EarlyFault): Promise<boolean> {
  switch (fault.kind) {
    case 'delay':
      await sleep(fault.ms)
      return false
    case 'reset':
      res.destroy()
      return true
    case 'status':
      res.status(fault.status).set({ 'content-type': 'text/plain', ...fault.headers })
      res.send(fault.body ?? '')
      return true
  }
}

/** Sends a body whose headers are set, in the way that the fault wants it. */
export async function playBytes(res: Response, body: Buffer, fault: BytesFault): Promise<void> {
  if (fault.kind === 'half-body') {
    const half = body.subarray(0, Math.ceil(body.length / 2))
    await new Promise<void>((resolve) => res.write(half, () => resolve()))
    res.destroy()
    return
  }
  for (let start = 0; start < body.length && !res.destroyed; start += fault.bytes) {
    res.write(body.subarray(start, start + fault.bytes))
    await sleep(fault.everyMs)
  }
  res.end()
}
