import fc from 'fast-check'
import { parkedFields } from '../../../src/core/sync/ledger.ts'
import { rulesOf } from '../sync-rules.ts'
import { SmallCrm } from './small-crm.ts'
import { SmallEngine, type WriteFault } from './small-engine.ts'

const MINUTE = 60_000
export const HOUR = 60 * MINUTE
export const DAY = 24 * HOUR
export const RESPECTED = 2 * HOUR
const NOW = Date.parse('2026-11-30T12:00:00Z')

/** One property for each policy. */
const RULES = rulesOf({
  score: { from: 'score', type: 'number' },
  reason: { from: 'reason_1' },
  status: { from: 'usage_status' },
  note: { from: 'email', 'respect-edit': '2h' },
  plan: { from: 'trait.plan', policy: 'two-way' },
  nick: { from: 'last_name', policy: 'fill-empty' },
  peak: {
    from: 'active_days_30',
    type: 'number',
    policy: 'increase-only',
    'at-most-every': 'always',
  },
  count: { from: 'change', type: 'number', 'at-most-every': '1d' },
  free: { from: 'company_name' },
})
export type Field = keyof typeof FIRST
const FIRST = {
  ...{ score: 50, note: 'a', nick: 'a', peak: 5, count: 1, free: 'a' },
  plan: 'free' as string | null,
}

/** One record, everything that happens to it, and what can be told of it without knowing how Ripen works. */
export class History {
  readonly crm = new SmallCrm()
  readonly engine: SmallEngine
  now = NOW
  /** A clock that was set back tells nothing of how long ago something was. */
  wasSetBack = false
  inputs = { ...FIRST }
  planToldAt = NOW
  hasLeft = false
  /** Values that a person gave, by property, which we came to want ourselves since. */
  readonly #agreed = new Set<string>()

  constructor() {
    this.engine = new SmallEngine(RULES, this.crm, this.#desired())
  }

  #desired(): Record<string, string | number | null> {
    const { plan, ...inputs } = this.inputs
    const status = inputs.score >= 60 ? 'qualified' : 'assist'
    const { said } = this.engine ?? { said: null }
    const isTheirs = said !== null && said.at >= this.planToldAt
    const desired = {
      ...{ ...inputs, status, reason: `r${inputs.score}` },
      plan: isTheirs ? said.value : plan,
    }
    if (!this.hasLeft) return desired
    return Object.fromEntries(Object.keys(desired).map((name) => [name, null]))
  }

  /** Works out what the record should say. */
  desire(): void {
    this.engine.want(this.#desired())
    this.#noteAgreed()
  }

  #noteAgreed(): void {
    for (const [name, value] of Object.entries(this.engine.desired)) {
      const text = value === null ? null : String(value)
      if (this.crm.held(name).value === text) this.#agreed.add(name)
    }
  }

  use(change: Partial<typeof FIRST>): void {
    if (change.plan !== undefined && change.plan !== this.inputs.plan) this.planToldAt = this.now
    this.inputs = { ...this.inputs, ...change }
    this.desire()
  }

  edit(field: string, value: string | null): void {
    if (this.crm.id === null) return
    this.#agreed.delete(field)
    const want = this.engine.desired[field] ?? null
    this.crm.edit(field, value, this.now, want === null ? null : String(want))
    this.#noteAgreed()
  }

  /** @throws when the write that follows loses or repeats something. */
  reconcile(fault: WriteFault = 'none'): void {
    const from = this.crm.writes.length
    this.engine.reconcile(this.now, fault)
    for (const write of this.crm.writes.slice(from)) this.#judge(write.field, write)
  }

  #judge(
    field: string,
    {
      before,
      value,
    }: {
      before: { value: string | null; by: string; at: number; over: string | null }
      value: string | null
    },
  ): void {
    const tell = `${field} ${before.value} (${before.by}) → ${value}`
    if (before.by === 'ripen' && before.value === value) throw new Error(`written twice: ${tell}`)
    if (before.by !== 'person' || this.#agreed.has(field)) return
    // Whoever gave back what we wrote changed nothing.
    const age = this.now - before.at
    if (field === 'note' && age < RESPECTED && !this.wasSetBack) throw new Error(`lost: ${tell}`)
    if (field === 'nick' && before.value !== null) throw new Error(`lost: ${tell}`)
    if (field === 'peak' && Number(before.value) >= Number(value)) throw new Error(`lost: ${tell}`)
    const isOlder = this.planToldAt < before.at && !this.wasSetBack
    if (field === 'plan' && isOlder && !this.hasLeft) throw new Error(`lost: ${tell}`)
  }

  pass(ms: number): void {
    if (ms < 0) this.wasSetBack = true
    this.now += ms
  }

  /** Nobody does anything any more: Ripen comes to rest. */
  settle(): void {
    for (let round = 0; round < 6; round++) {
      this.pass(3 * DAY)
      this.engine.look(this.now)
      this.desire()
      this.engine.retry()
      this.reconcile()
    }
  }

  /** What is wrong with a record at rest. */
  faults(): string[] {
    const writes = this.crm.writes.length
    for (let i = 0; i < 3; i++) {
      this.engine.look(this.now)
      this.desire()
      this.reconcile()
    }
    const more = this.crm.writes.length - writes
    const faults = more > 0 ? [`${more} writes at rest`] : []
    if (parkedFields(this.engine.ledger).length > 0) faults.push('parked at rest')
    for (const field of Object.keys(RULES.properties)) {
      if (!this.#isRight(field)) faults.push(`${field} says ${this.crm.held(field).value}`)
    }
    return faults
  }

  #isRight(field: string): boolean {
    const held = this.crm.held(field)
    const want = this.engine.desired[field] ?? null
    const score = this.crm.held('score').value
    // What explains the score is that of the score which is there.
    if (field === 'reason' && score !== null) return held.value === `r${score}`
    if (held.value === (want === null ? null : String(want))) return true
    if (field === 'nick') return held.value !== null
    if (field === 'peak') return want === null || Number(held.value) >= Number(want)
    if (field === 'plan') return held.by === 'person'
    if (field !== 'score' || want === null) return false
    return held.by === 'ripen' && Math.abs(Number(held.value) - Number(want)) < 5
  }
}

type Act = (history: History) => void

/** One thing that may happen, with words for a report. */
export class Step implements fc.Command<object, History> {
  readonly words: string
  readonly act: Act

  constructor(words: string, act: Act) {
    this.words = words
    this.act = act
  }

  check = () => true
  run(_model: object, history: History): void {
    this.act(history)
  }
  toString = () => this.words
}

const step = (words: string, act: Act) => new Step(words, act)
const letter = fc.constantFrom('a', 'b', 'c', 'd')
const EDITS = {
  ...{ score: ['48', '90', null], reason: ['mine', null], status: ['assist', 'lost'] },
  ...{
    note: ['a', 'b', 'mine', null],
    plan: ['free', 'pro', 'team', null],
    nick: ['mine', 'b', null],
  },
  ...{ peak: ['3', '8', '20', null], count: ['7', null], free: ['mine', 'a', 'b', null] },
}
const FAULTS: readonly WriteFault[] = [
  'none',
  'refused',
  'lost',
  'landed',
  'killed before',
  'killed after',
]

/** Everything that may happen to a record. */
export const STEPS = [
  fc.integer({ min: 40, max: 80 }).map((score) => step(`score ${score}`, (h) => h.use({ score }))),
  fc
    .constantFrom(-2, -1, 1, 2)
    .map((by) => step(`score by ${by}`, (h) => h.use({ score: h.inputs.score + by }))),
  letter.map((note) => step(`note ${note}`, (h) => h.use({ note }))),
  letter.map((nick) => step(`nick ${nick}`, (h) => h.use({ nick }))),
  letter.map((free) => step(`free ${free}`, (h) => h.use({ free }))),
  fc.integer({ min: 1, max: 12 }).map((peak) => step(`peak ${peak}`, (h) => h.use({ peak }))),
  fc.integer({ min: 1, max: 5 }).map((count) => step(`count ${count}`, (h) => h.use({ count }))),
  fc
    .constantFrom('free', 'pro', 'team', null)
    .map((plan) => step(`plan ${plan}`, (h) => h.use({ plan }))),
  fc
    .constantFrom(...Object.keys(EDITS))
    .chain((field) =>
      fc
        .constantFrom(...(EDITS[field as keyof typeof EDITS] as (string | null)[]))
        .map((value) => step(`a person sets ${field} to ${value}`, (h) => h.edit(field, value))),
    ),
  fc.constantFrom(...FAULTS).map((fault) => step(`reconcile, ${fault}`, (h) => h.reconcile(fault))),
  fc.constant(step('reconcile', (h) => h.reconcile())),
  // An event comes late, again or in another order: each time the record is read as it is.
  fc.constant(step('an event', (h) => h.engine.look(h.now))),
  fc.constant(step('desire', (h) => h.desire())),
  fc.constant(step('retry', (h) => h.engine.retry())),
  fc.constant(step('merge or conversion', (h) => h.crm.move())),
  fc.constant(step('delete', (h) => h.crm.remove())),
  fc.boolean().map((hasLeft) =>
    step(hasLeft ? 'opts out' : 'comes back', (h) => {
      h.hasLeft = hasLeft
      h.desire()
    }),
  ),
  fc
    .constantFrom(MINUTE, 10 * MINUTE, HOUR, 5 * HOUR, DAY)
    .map((ms) => step(`${ms / MINUTE} minutes pass`, (h) => h.pass(ms))),
  fc.constant(step('the clock is set back', (h) => h.pass(-HOUR))),
]
