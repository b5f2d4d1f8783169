import { createHmac, timingSafeEqual } from 'node:crypto'

/** What a v3 signature is made of. */
export interface SignedParts {
  readonly method: string
  /** The whole public address, query included. */
  readonly url: string
  readonly body: Uint8Array
  /** As it stands in `X-HubSpot-Request-Timestamp`. */
  readonly timestamp: string
}

/** The percent-codes that HubSpot takes out of the address before it signs; no others. */
const DECODED = /%(?:3A|2F|3F|40|21|24|27|28|29|2A|2C|3B)/gi

/** The signature that HubSpot sends as `X-HubSpot-Signature-v3`. */
export function signatureV3(clientSecret: string, parts: SignedParts): string {
  return createHmac('sha256', clientSecret)
    .update(`${parts.method.toUpperCase()}${signedUrl(parts.url)}`)
    .update(parts.body)
    .update(parts.timestamp)
    .digest('base64')
}

/** Compares in a time that says nothing about where they differ. */
export function isSignature(given: string, wanted: string): boolean {
  const [a, b] = [Buffer.from(given), Buffer.from(wanted)]
  return a.length === b.length && timingSafeEqual(a, b)
}

function signedUrl(url: string): string {
  return url.replace(DECODED, (code) => decodeURIComponent(code))
}
