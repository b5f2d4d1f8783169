import type { UsageMapping } from './usage-mapping.ts'

/** Always there: business, free, disposable or none. */
const ALWAYS = 'email_kind'

/** Names of all traits that models may read. */
export function declaredTraits(usage: UsageMapping): string[] {
  return [ALWAYS, ...Object.keys(usage.traits)]
}
