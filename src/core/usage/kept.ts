import type { UsageMapping } from '../mapping/usage-mapping.ts'

/** Stands for every property, where a file keeps what the vendor sent. */
export const EVERYTHING = '*'

/** Parts of an event that hold properties, by the word that leads a place (`user.email`). */
export const PROPERTY_COLUMNS = {
  event: 'event_properties',
  user: 'user_properties',
  group: 'groups',
} as const

/**
 * The places (`user.email`, `event.path`) whose values the lake keeps: those that the tracking plan
 * looks at, sorted, or `EVERYTHING`. The rest of an event's properties is never stored.
 */
export function keptPlaces(mapping: UsageMapping): readonly string[] {
  return mapping.keep === 'all' ? [EVERYTHING] : neededPlaces(mapping)
}

/** The places that the tracking plan looks at, sorted. */
export function neededPlaces(mapping: UsageMapping): readonly string[] {
  return [...new Set([...identityPlaces(mapping), ...actionPlaces(mapping)])].sort()
}

/** Places that say who somebody is: e-mail addresses, traits and the account. */
export function identityPlaces(mapping: UsageMapping): readonly string[] {
  return [...mapping.email, ...Object.values(mapping.traits).flat(), ...mapping.account]
}

/** Properties of events that tell what was done. */
function actionPlaces(mapping: UsageMapping): readonly string[] {
  return Object.values(mapping.actions).flatMap(({ from, value }) => [
    ...from.flatMap(({ where }) => Object.keys(where ?? {}).map((name) => `event.${name}`)),
    ...(value ? [value.of] : []),
  ])
}

/** Whether a file that kept these places holds all that is needed. */
export function covers(kept: readonly string[], needed: readonly string[]): boolean {
  return kept.includes(EVERYTHING) || needed.every((place) => kept.includes(place))
}
