/** An event name, or a property with one JSON type, and the event days on which a source sent it. */
export interface SeenName {
  readonly kind: 'event' | 'property'
  /** A property by its place, such as `event.path`. */
  readonly name: string
  /** `text`, `number`, `boolean`, `object` or `list`; empty for an event. */
  readonly type: string
  /** `YYYY-MM-DD`. */
  readonly firstDay: string
  /** The latest of its days, newest first. */
  readonly days: readonly string[]
}

/** A change of what a vendor sends. */
export interface NameChange {
  readonly kind: 'event' | 'property'
  readonly name: string
  readonly change: 'new' | 'vanished' | 'retyped'
  /** Its first day as it is now; the last day of one that vanished. */
  readonly day: string
  readonly detail: string | null
}

/** So long a source is watched before a name counts as new, and a name is there before it can be missed. */
const SETTLED_DAYS = 7
/** Days without it, the newest one aside, which is not over. */
const GONE_DAYS = 2
const DAY_MS = 86_400_000

/**
 * What changed in what one source sends, from all that is known about it: the same whatever order its
 * windows came in. A name that often pauses is missed only once it has paused longer than ever.
 */
export function findNameChanges(seen: readonly SeenName[]): NameChange[] {
  const newest = seen
    .map(({ days }) => days[0] ?? '')
    .sort()
    .at(-1)
  const [oldest] = seen.map(({ firstDay }) => firstDay).sort()
  if (newest === undefined || oldest === undefined) return []
  return byName(seen).flatMap((types) => [
    ...newName(types, oldest),
    ...retyped(types),
    ...vanished(types, newest),
  ])
}

function byName(seen: readonly SeenName[]): SeenName[][] {
  const names = new Map<string, SeenName[]>()
  for (const one of seen) {
    const key = `${one.kind} ${one.name}`
    const types = names.get(key)
    if (types) types.push(one)
    else names.set(key, [one])
  }
  return [...names.values()]
}

function newName(types: readonly SeenName[], oldest: string): NameChange[] {
  const first = firstOf(types)
  if (!first || daysBetween(oldest, first.firstDay) < SETTLED_DAYS) return []
  return [change(first, 'new', first.firstDay, first.type || null)]
}

function retyped(types: readonly SeenName[]): NameChange[] {
  const first = firstOf(types)
  if (!first) return []
  const days = new Set(types.map(({ firstDay }) => firstDay))
  days.delete(first.firstDay)
  const typesOf = (fits: (day: string) => boolean) =>
    types
      .filter(({ firstDay }) => fits(firstDay))
      .map(({ type }) => type)
      .sort()
      .join(' or ')
  return [...days].map((day) => {
    const detail = `${typesOf((d) => d < day)}, now ${typesOf((d) => d === day)} too`
    return change(first, 'retyped', day, detail)
  })
}

function vanished(types: readonly SeenName[], newest: string): NameChange[] {
  const days = [...new Set(types.flatMap((one) => one.days))].sort()
  const [one, last] = [types[0], days.at(-1)]
  if (!one || last === undefined || days.length < SETTLED_DAYS) return []
  const pauses = days.slice(1).map((day, i) => daysBetween(days[i] ?? day, day))
  const gone = daysBetween(last, newest)
  if (gone <= GONE_DAYS || gone <= Math.max(...pauses)) return []
  return [change(one, 'vanished', last, null)]
}

const firstOf = (types: readonly SeenName[]): SeenName | undefined =>
  [...types].sort((a, b) => (`${a.firstDay} ${a.type}` < `${b.firstDay} ${b.type}` ? -1 : 1))[0]

const change = (
  { kind, name }: SeenName,
  what: NameChange['change'],
  day: string,
  detail: string | null,
): NameChange => ({ kind, name, change: what, day, detail })

const daysBetween = (from: string, to: string): number =>
  Math.round((Date.parse(to) - Date.parse(from)) / DAY_MS)
