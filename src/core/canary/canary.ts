import type { ObjectMapping } from '../mapping/crm-mapping.ts'
import { mostOften, ridesWithScore } from '../mapping/field-policy.ts'
import type { UsageMapping } from '../mapping/usage-mapping.ts'

/** The source that the canary's events come from; it is nobody's product. */
export const CANARY_SOURCE = 'canary'
/** The canary in the identity graph. */
export const CANARY_NODE = `${CANARY_SOURCE}/u:canary`

/**
 * An event that the tracking plan takes for use of the product, whatever its source and properties say; null when every
 * one is tied to something.
 */
export function canaryEvent({ actions }: UsageMapping): string | null {
  const free = Object.values(actions)
    .flatMap(({ from }) => from)
    .find(({ source, where }) => source === undefined && where === undefined)
  return free?.event ?? null
}

/**
 * The property that the canary writes: text of ours that is written as soon as it changes, the model's name if that
 * is mapped; null when there is none.
 */
export function canaryProperty({ properties }: Pick<ObjectMapping, 'properties'>): string | null {
  const texts = Object.entries(properties).filter(
    ([, p]) =>
      (p.type === 'string' || p.type === 'text') &&
      p.policy === 'push' &&
      mostOften(p) === 0 &&
      !ridesWithScore(p),
  )
  const best = texts.find(([, { from }]) => from === 'model') ?? texts[0]
  return best?.[0] ?? null
}
