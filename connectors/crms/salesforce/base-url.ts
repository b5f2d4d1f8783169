import { ConfigError } from '../../../src/core/errors.ts'

/** @throws {ConfigError} naming the variable. */
export function parseBaseUrl(text: string): URL {
  const url = URL.canParse(text) ? new URL(text) : null
  if (!url || !['http:', 'https:'].includes(url.protocol)) {
    throw new ConfigError('SALESFORCE_BASE_URL is not an http(s) address.')
  }
  if (url.hostname.endsWith('.lightning.force.com')) {
    throw new ConfigError(
      'SALESFORCE_BASE_URL is the address of the pages; take the My Domain address, such as https://acme.my.salesforce.com.',
    )
  }
  return url
}
