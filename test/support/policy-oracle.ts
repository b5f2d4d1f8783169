import type { ObjectMapping, PropertyMapping } from '../../src/core/mapping/crm-mapping.ts'

type Value = unknown
type Values = Readonly<Record<string, Value>>

const DAY_MS = 86_400_000
const DAILY = ['last_active', 'active_days_30', 'active_users', 'others']
const NEWS = ['usage_status', 'sales_status', 'status_since', 'qualified_at', 'model']
const EXPLAINS = [
  ...['grade', 'change', 'trend', 'reason_1', 'reason_2', 'reason_3', 'summary'],
  ...['explanation', 'what_changed', 'to_qualify', 'signals'],
]

/**
 * Counts the writes of one record's properties that the documentation promises for a mapping without policies of its
 * own, from what the record should say each day. It shares no code with what it is held against.
 */
export class PolicyOracle {
  readonly writes = new Map<string, number>()
  readonly #fields: ReadonlyMap<string, string>
  #says: Values | null = null
  readonly #writtenAt = new Map<string, number>()

  constructor({ properties }: ObjectMapping) {
    const declared: Readonly<Record<string, PropertyMapping>> = properties
    this.#fields = new Map(Object.entries(declared).map(([name, { from }]) => [name, from]))
  }

  /** The record should say this; it was made or found today, or was there before. */
  day(desired: Values, at: number, first: 'made' | 'found' | null): void {
    const before = this.#says
    const names = Object.keys(desired)
    if (first === 'made') this.#write(names, desired, at)
    else if (before === null)
      this.#write(
        names.filter((name) => !isEmpty(desired[name])),
        desired,
        at,
      )
    else this.#write(this.#changed(desired, before, at), desired, at)
  }

  #changed(desired: Values, before: Values, at: number): string[] {
    const differ = Object.keys(desired).filter((name) => !isSame(desired[name], before[name]))
    const fieldOf = (name: string) => this.#fields.get(name) ?? ''
    const score = [...this.#fields].find(([, from]) => from === 'score')?.[0] ?? ''
    const [now, then] = [desired[score], before[score]]
    const isFar =
      typeof now !== 'number' || typeof then !== 'number' ? now !== then : Math.abs(now - then) >= 5
    const isNews = isFar || differ.some((name) => NEWS.includes(fieldOf(name)))
    return differ.filter((name) => {
      const field = fieldOf(name)
      if (field === 'score' || EXPLAINS.includes(field)) return isNews
      if (!DAILY.includes(field)) return true
      return at - (this.#writtenAt.get(name) ?? Number.NEGATIVE_INFINITY) >= DAY_MS
    })
  }

  #write(names: readonly string[], desired: Values, at: number): void {
    const says: Record<string, Value> = { ...this.#says }
    if (this.#says === null) for (const name of Object.keys(desired)) says[name] = null
    for (const name of names) {
      says[name] = desired[name]
      this.writes.set(name, (this.writes.get(name) ?? 0) + 1)
      this.#writtenAt.set(name, at)
    }
    this.#says = says
  }
}

const isEmpty = (value: Value): boolean => value === null || value === undefined || value === ''
const isSame = (a: Value, b: Value): boolean =>
  JSON.stringify(a ?? null) === JSON.stringify(b ?? null)
