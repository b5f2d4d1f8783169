import type { CrmWebhook, WebhookRequest } from '../../../src/core/ports/crm-webhook.ts'
import { parseWebhook } from './webhook-events.ts'
import { isSignature, signatureV3 } from './webhook-signature.ts'

/** An older request may be somebody's copy. */
const OLDEST_MS = 5 * 60_000
/** Two clocks are never the same; HubSpot's own check lets any time of the future pass. */
const AHEAD_MS = 60_000

/**
 * HubSpot's webhooks.
 * @param clientSecret of the app that sends them.
 */
export function createHubspotWebhook(clientSecret: string): CrmWebhook {
  return {
    name: 'hubspot',
    verify(request, now) {
      const timestamp = header(request, 'x-hubspot-request-timestamp')
      const given = header(request, 'x-hubspot-signature-v3')
      if (given === '' || !/^\d{1,16}$/.test(timestamp)) return 'unsigned'
      const ageMs = now.getTime() - Number(timestamp)
      if (ageMs > OLDEST_MS) return 'stale'
      if (ageMs < -AHEAD_MS) return 'future'
      const { method, url, body } = request
      const wanted = signatureV3(clientSecret, { method, url, body, timestamp })
      return isSignature(given, wanted) ? null : 'forged'
    },
    parse: parseWebhook,
  }
}

/** One value, or nothing: of a header that was sent twice, nobody knows which one was meant. */
function header({ headers }: WebhookRequest, name: string): string {
  const value = headers[name]
  return typeof value === 'string' ? value : ''
}
