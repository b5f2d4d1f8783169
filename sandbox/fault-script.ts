import { createRandom } from './company/random.ts'

/** A scripted fault. Calls that match it in method and path meet it instead of the normal answer. */
export interface FaultRule {
  /** Any method when absent. */
  readonly method?: string
  /** Tested against the path as it was called, without the query. Any path when absent. */
  readonly path?: RegExp
  /** Only calls whose body holds this text: a record at which the server stumbles, whatever is beside it. */
  readonly mentions?: string
  /** The first matching call that meets the fault, counted from 1. Default 1. */
  readonly nth?: number
  /** How many calls in a row meet it. Default 1. */
  readonly times?: number
  /**
   * Every matching call meets it with this probability, for good; the draws are the same in every run.
   * `nth` and `times` say nothing then.
   */
  readonly chance?: number
  /** Milliseconds to wait first. Alone, the call is then answered normally. */
  readonly delayMs?: number
  /**
   * - `half-body`: the call is carried out, part of the answer is sent, the connection breaks.
   * - `reset`: the connection breaks before anything happens.
   * - `reset-after`: the call is carried out, the connection breaks without an answer.
   * - `empty-2xx`: the vendor's form of success without results, and nothing happens.
   */
  readonly kind?: 'half-body' | 'reset' | 'reset-after' | 'empty-2xx'
  /** Answers with this status, `body` and `headers`, and does nothing. */
  readonly status?: number
  /** An object is sent as JSON, a text as HTML. */
  readonly body?: unknown
  readonly headers?: Readonly<Record<string, string>>
  /** With `status`: the call is carried out all the same, only its answer is replaced. */
  readonly carriedOut?: boolean
}

interface ScriptedFault {
  readonly rule: FaultRule
  skip: number
  left: number
}

/** Faults in the order in which they were scripted; the first that matches is played. */
export class FaultScript {
  private readonly random = createRandom(1)
  private scripted: ScriptedFault[] = []

  push(rule: FaultRule): void {
    this.scripted.push({ rule, skip: (rule.nth ?? 1) - 1, left: rule.times ?? 1 })
  }

  clear(): void {
    this.scripted = []
  }

  /** Faulty calls still to come. */
  get pending(): number {
    const counted = this.scripted.filter(({ rule }) => rule.chance === undefined)
    return counted.reduce((sum, { left }) => sum + left, 0)
  }

  /** The fault that this call meets before its body is read, taken from the script. */
  take(method: string, path: string): FaultRule | undefined {
    return this.takeWhere((rule) => rule.mentions === undefined && isMatch(rule, method, path))
  }

  /** The fault that this call meets for what is in its body. */
  takeMentioned(method: string, path: string, body: string): FaultRule | undefined {
    return this.takeWhere(
      (rule) =>
        rule.mentions !== undefined && body.includes(rule.mentions) && isMatch(rule, method, path),
    )
  }

  private takeWhere(isMet: (rule: FaultRule) => boolean): FaultRule | undefined {
    for (const fault of this.scripted) {
      if (!isMet(fault.rule)) continue
      const { chance } = fault.rule
      if (chance !== undefined) {
        if (this.random.next() < chance) return fault.rule
        continue
      }
      if (fault.skip > 0) {
        fault.skip--
        continue
      }
      fault.left--
      if (fault.left <= 0) this.scripted = this.scripted.filter((other) => other !== fault)
      return fault.rule
    }
    return undefined
  }
}

function isMatch(rule: FaultRule, method: string, path: string): boolean {
  if (rule.method !== undefined && rule.method.toUpperCase() !== method) return false
  return (
    rule.path === undefined ||
    new RegExp(rule.path.source, rule.path.flags.replace(/[gy]/g, '')).test(path)
  )
}
