import { normaliseEmail } from './email.ts'

/** Addresses in a text, as RE2 and JavaScript both read it; the text is in lower case. */
export const ADDRESS_PATTERN = '[^\\s@"<>()\\[\\],;:\\\\]{1,64}@[a-z0-9](?:[a-z0-9.-]*[a-z0-9])?'

/** What stands where an address stood. */
const GONE = 'forgotten'

/** Takes addresses out of a text, whatever their capitals; longer ones that end or begin alike stay. */
export function redactAddresses(text: string, addresses: readonly string[]): string {
  const gone = new Set(addresses)
  return text.replace(new RegExp(ADDRESS_PATTERN, 'gi'), (found) =>
    gone.has(normaliseEmail(found) ?? '') ? GONE : found,
  )
}
