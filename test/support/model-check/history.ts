import { parkedFields } from '../../../src/core/sync/ledger.ts'
import { rulesOf } from '../sync-rules.ts'
import { type Held, SmallCrm } from './small-crm.ts'
import { SmallEngine, type WriteFault } from './small-engine.ts'

const MINUTE = 60_000
const HOUR = 60 * MINUTE
const DAY = 24 * HOUR
const RESPECTED = 2 * HOUR
const NOW = Date.parse('2026-11-30T12:00:00Z')

/** So often what somebody else gives is put back within an hour, as the documentation says. */
const ROUNDS = 3

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
export const FIELDS = Object.keys(RULES.properties)
/** What a contact takes over from a lead, where somebody has mapped so. */
const CONVERTED = ['score', 'reason', 'status', 'note']

const FIRST = {
  ...{ score: 50, note: 'a', nick: 'a', peak: 5, count: 1, free: 'a' },
  plan: 'free' as string | null,
}

/** One record, everything that happens to it, and what can be told of it without knowing how Ripen works. */
export class History {
  readonly crm = new SmallCrm()
  readonly engine: SmallEngine
  now = NOW
  /** Grows when the clock is set back: across that nobody can tell how long ago something was. */
  #era = 0
  inputs = { ...FIRST }
  planToldAt = NOW
  hasLeft = false
  #planEra = 0
  readonly #editEras = new Map<string, number>()
  readonly #ownEras = new Map<string, number>()
  readonly #wrote = new Map<string, string | null>()
  #mayBeCleared = false
  /** When what a person gave was put back, by property. */
  readonly #restored = new Map<string, number[]>()
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
    if (change.plan !== undefined && change.plan !== this.inputs.plan) {
      this.planToldAt = this.now
      this.#planEra = this.#era
    }
    this.inputs = { ...this.inputs, ...change }
    this.desire()
  }

  edit(field: string, value: string | null): void {
    if (this.crm.id === null || this.crm.held(field).value === value) return
    this.#agreed.delete(field)
    this.crm.edit(field, value, this.now)
    this.#editEras.set(field, this.#era)
    const isKnown = this.engine.seen !== null && this.engine.crmId === this.crm.id
    this.#unsaid(field, isKnown)
    this.#noteAgreed()
  }

  /** A workflow sees what was written, and gives its own value each time. */
  rewrite(field: string, value: string | null): void {
    this.edit(field, value)
    this.engine.look(this.now)
    this.reconcile()
  }

  /** What nobody can tell from a record that says what it said, or that has another id by now. */
  #unsaid(field: string, isKnown: boolean): void {
    const { value, by, isSeen } = this.crm.held(field)
    if (by !== 'person' || isSeen) return
    const isAlike = field === 'plan' && (value === null || value === this.#wrote.get(field))
    const seen = this.engine.seen?.[field] ?? null
    const isBack = value === (seen === null ? null : String(seen))
    if (isBack || (!isKnown && isAlike)) this.#agreed.add(field)
  }

  merge(): void {
    this.crm.move()
    this.#unsaid('plan', false)
  }

  convert(): void {
    // Who was seen to clear it has cleared it.
    if (this.engine.seen?.['plan'] === null) this.#mayBeCleared = true
    this.crm.convert(CONVERTED)
    this.#unsaid('plan', false)
  }

  remove(): void {
    this.crm.remove()
    this.#restored.clear()
  }

  retry(): void {
    this.engine.retry()
    this.#restored.clear()
  }

  /** @throws when the write that follows loses or repeats something. */
  reconcile(fault: WriteFault = 'none'): void {
    const from = this.crm.writes.length
    this.engine.reconcile(this.now, fault)
    for (const write of this.crm.writes.slice(from)) this.#judge(write.field, write)
  }

  #judge(field: string, { before, value }: { before: Held; value: string | null }): void {
    const tell = `${field} ${before.value} (${before.by}) → ${value}`
    if (before.by === 'ripen' && before.value === value) throw new Error(`written twice: ${tell}`)
    const age = this.now - before.at
    const isOwnAge = this.#ownEras.get(field) === this.#era
    this.#ownEras.set(field, this.#era)
    const wrote = this.#wrote.get(field)
    this.#wrote.set(field, value)
    if (field === 'count' && before.by === 'ripen' && age < DAY && isOwnAge) {
      throw new Error(`too soon: ${tell}`)
    }
    if (before.by !== 'person') return
    // Whoever gave back what we wrote changed nothing.
    const isEdit = before.value !== wrote
    const isRound = isEdit && before.isSeen && before.overOurs && before.value !== value
    if (this.#agreed.has(field)) return
    if (isRound) this.#countRound(field, tell)
    const isAge = this.#editEras.get(field) === this.#era
    if (field === 'note' && age < RESPECTED && isAge && isEdit) throw new Error(`lost: ${tell}`)
    if (field === 'nick' && before.value !== null) throw new Error(`lost: ${tell}`)
    if (field === 'peak' && Number(before.value) >= Number(value)) throw new Error(`lost: ${tell}`)
    // What was cleared stays away; what was told besides, and never stood there, may come.
    const isOther = before.value === null && value !== wrote
    const isOlder = this.planToldAt < before.at && isAge && this.#planEra === this.#era
    if (field === 'plan' && isOlder && !isOther && !this.hasLeft) throw new Error(`lost: ${tell}`)
  }

  #countRound(field: string, tell: string): void {
    const rounds = (this.#restored.get(field) ?? []).filter((at) => this.now - at < HOUR)
    this.#restored.set(field, [...rounds, this.now])
    if (rounds.length >= ROUNDS) throw new Error(`a fight, ${rounds.length + 1} rounds: ${tell}`)
  }

  pass(ms: number): void {
    if (ms < 0) this.#era++
    this.now += ms
  }

  /** Nobody does anything any more: Ripen comes to rest. */
  settle(): void {
    for (let round = 0; round < 6; round++) {
      this.pass(3 * DAY)
      this.engine.look(this.now)
      this.desire()
      this.retry()
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
    for (const field of FIELDS) {
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
    if (field === 'plan') return held.by === 'person' || (this.#mayBeCleared && held.value === null)
    if (field !== 'score' || want === null) return false
    return (
      (held.by === 'ripen' || this.#agreed.has(field)) &&
      Math.abs(Number(held.value) - Number(want)) < 5
    )
  }
}
