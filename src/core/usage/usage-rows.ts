/** Columns in which usage is read: all numbers; `slot` says which action on which day. */
export const USAGE_COLUMN = { person: 0, slot: 1, count: 2, firstAt: 3, lastAt: 4 } as const

/** How many days lie between one action and the next in a slot: more than there are in any history. */
const SLOT_DAYS = 2 ** 24
/** The first day that a slot can tell, in days since 1970. */
const SLOT_FIRST_DAY = -(2 ** 23)

/** The statement that reads `usage` in these columns: one number says which action on which day. */
export const usageRowsSql = (): string =>
  `select person::double, (action::bigint * ${SLOT_DAYS} + (day - (${SLOT_FIRST_DAY})))::double,
    count::double, first_at::double, last_at::double from usage`

/** What people did, in the order of people: one row for each vendor identity, action and day. */
export interface UsageRows {
  /** Numbers of people who did anything, and where the rows of each begin; one more for the end. */
  readonly people: Int32Array
  readonly starts: Int32Array
  /** Where each person stands in `people`. */
  readonly places: ReadonlyMap<number, number>
  /** By row. */
  readonly action: Uint32Array
  readonly day: Int32Array
  readonly count: Float64Array
  readonly firstAt: Float64Array
  readonly lastAt: Float64Array
}

/** Puts rows in the order of people: numbers are dense, so each goes straight to its place. */
export function rowsByPerson(columns: readonly Float64Array[]): UsageRows {
  const { person, slot, count, firstAt, lastAt } = USAGE_COLUMN
  const persons = columns[person] ?? NONE
  const slots = columns[slot] ?? NONE
  const size = persons.length
  let least = Number.POSITIVE_INFINITY
  let most = -1
  for (let i = 0; i < size; i++) {
    const one = persons[i] as number
    if (one < least) least = one
    if (one > most) most = one
  }
  const next = new Int32Array(size === 0 ? 1 : most - least + 2)
  for (let i = 0; i < size; i++) (next[(persons[i] as number) - least + 1] as number) += 1
  for (let i = 1; i < next.length; i++) (next[i] as number) += next[i - 1] as number
  const index = peopleOf(next, least)
  const action = new Uint32Array(size)
  const day = new Int32Array(size)
  const order = new Int32Array(size)
  for (let i = 0; i < size; i++) {
    const at = (next[(persons[i] as number) - least] as number)++
    const place = slots[i] as number
    const which = Math.floor(place / SLOT_DAYS)
    order[i] = at
    action[at] = which
    day[at] = place - which * SLOT_DAYS + SLOT_FIRST_DAY
  }
  const sorted = (values: Float64Array = NONE) => {
    const column = new Float64Array(size)
    for (let i = 0; i < size; i++) column[order[i] as number] = values[i] as number
    return column
  }
  return {
    ...index,
    action,
    day,
    count: sorted(columns[count]),
    firstAt: sorted(columns[firstAt]),
    lastAt: sorted(columns[lastAt]),
  }
}

const NONE = new Float64Array(0)

function peopleOf(begins: Int32Array, least: number) {
  const people: number[] = []
  const starts: number[] = []
  const places = new Map<number, number>()
  for (let i = 0; i + 1 < begins.length; i++) {
    if (begins[i] === begins[i + 1]) continue
    places.set(least + i, people.length)
    people.push(least + i)
    starts.push(begins[i] as number)
  }
  starts.push(begins[begins.length - 1] as number)
  return { people: Int32Array.from(people), starts: Int32Array.from(starts), places }
}
