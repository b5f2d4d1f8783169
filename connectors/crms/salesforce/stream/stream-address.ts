import { ConfigError } from '../../../../src/core/errors.ts'

/** Salesforce's own; orgs of the EU operating zone have another one. */
const PUBLIC_ADDRESS = 'https://api.pubsub.salesforce.com:7443'

/** Where the Pub/Sub API listens. */
export interface StreamAddress {
  readonly host: string
  readonly port: number
  /** False on loopback alone. */
  readonly tls: boolean
}

/**
 * Reads SALESFORCE_PUBSUB_URL. Without it an org has Salesforce's own; one that is played on this machine has none,
 * or its session would be shown to Salesforce.
 * @returns null when there is no stream to follow.
 * @throws {ConfigError} when it is no address, or would send a session in the clear.
 */
export function streamAddress(given: string | undefined, baseUrl: string): StreamAddress | null {
  if (given === 'off') return null
  if (given === undefined && !baseUrl.startsWith('https:')) return null
  const text = given ?? PUBLIC_ADDRESS
  const url = URL.canParse(text) ? new URL(text) : null
  if (!url || !['http:', 'https:'].includes(url.protocol)) {
    throw new ConfigError('SALESFORCE_PUBSUB_URL is not an http(s) address, nor off.')
  }
  const tls = url.protocol === 'https:'
  if (!tls && !isLoopback(url.hostname)) {
    throw new ConfigError(
      'SALESFORCE_PUBSUB_URL would send the session in the clear; take an https address.',
    )
  }
  const port = url.port === '' ? (tls ? 443 : 80) : Number(url.port)
  return { host: url.hostname, port, tls }
}

function isLoopback(host: string): boolean {
  return host === 'localhost' || host === '[::1]' || /^127\.\d+\.\d+\.\d+$/.test(host)
}
