import type { FeatureTime } from './feature-sql.ts'
import type { UsageRows } from './usage-rows.ts'

/**
 * What one subject did, in the order of actions and days: written over by the next subject. Several rows
 * tell of one day where she has several vendor identities, or is an account.
 */
export class SubjectDays {
  readonly #usage: UsageRows
  readonly #asked: readonly boolean[]
  readonly #time: FeatureTime
  readonly #leastDay: number
  readonly #span: number
  #order = new Float64Array(0)
  #from = new Int32Array(0)
  #persons = new Int32Array(0)
  length = 0
  action = new Int32Array(0)
  day = new Int32Array(0)
  person = new Int32Array(0)
  count = new Float64Array(0)
  firstAt = new Float64Array(0)
  lastAt = new Float64Array(0)

  /** @param asked by action: whether its rows are taken. */
  constructor(usage: UsageRows, asked: readonly boolean[], time: FeatureTime) {
    this.#usage = usage
    this.#asked = asked
    this.#time = time
    let [least, most] = [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY]
    for (const day of usage.day) {
      if (day < least) least = day
      if (day > most) most = day
    }
    this.#leastDay = least
    this.#span = most - least + 1
  }

  /**
   * Takes the rows of these people that count at the time.
   * @returns whether there are any.
   */
  take(people: readonly number[]): boolean {
    const { starts, places } = this.#usage
    let most = 0
    for (const person of people) {
      const place = places.get(person)
      if (place !== undefined) most += (starts[place + 1] as number) - (starts[place] as number)
    }
    this.#makeRoom(most)
    const length = this.#collect(people, most)
    const order = this.#order.subarray(0, length).sort()
    const { action, day, count, firstAt, lastAt } = this.#usage
    for (let i = 0; i < length; i++) {
      const number = order[i] as number
      const at = number - Math.floor(number / most) * most
      const row = this.#from[at] as number
      this.action[i] = action[row] as number
      this.day[i] = day[row] as number
      this.person[i] = this.#persons[at] as number
      this.count[i] = count[row] as number
      this.firstAt[i] = firstAt[row] as number
      this.lastAt[i] = lastAt[row] as number
    }
    this.length = length
    return length > 0
  }

  /** Notes which rows count, each with a number by which they sort. */
  #collect(people: readonly number[], most: number): number {
    const { starts, places, action, day, firstAt } = this.#usage
    const { endDay, asOf } = this.#time
    const [span, least] = [this.#span, this.#leastDay]
    let length = 0
    for (const person of people) {
      const place = places.get(person)
      if (place === undefined) continue
      for (let row = starts[place] as number; row < (starts[place + 1] as number); row++) {
        const which = action[row] as number
        const on = day[row] as number
        if (on >= endDay || (firstAt[row] as number) >= asOf || !this.#asked[which]) continue
        this.#from[length] = row
        this.#persons[length] = person
        this.#order[length] = (which * span + on - least) * most + length
        length++
      }
    }
    return length
  }

  #makeRoom(rows: number): void {
    if (rows <= this.#from.length) return
    const room = 2 * rows
    this.#order = new Float64Array(room)
    this.#from = new Int32Array(room)
    this.#persons = new Int32Array(room)
    this.action = new Int32Array(room)
    this.day = new Int32Array(room)
    this.person = new Int32Array(room)
    this.count = new Float64Array(room)
    this.firstAt = new Float64Array(room)
    this.lastAt = new Float64Array(room)
  }
}
