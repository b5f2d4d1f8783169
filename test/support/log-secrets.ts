/** What the stand-ins are let in with. */
export const VENDOR_SECRETS = {
  hubspot: 'pat-eu1-thread-test-token',
  amplitude: 'amplitude-thread-secret',
  mixpanel: 'mixpanel-thread-secret',
} as const

/** Of the app that sends HubSpot's webhooks. */
export const CLIENT_SECRET = 'client-secret-of-the-thread'
export const WEBHOOK_TOKEN = 'amplitude-webhook-token'
export const WRITE_KEY = 'segment-write-key'
export const API_TOKEN = 'a-token-of-sixteen-characters'

/** Every secret of the tests that Ripen is given. */
export const ALL_SECRETS: readonly string[] = [
  ...Object.values(VENDOR_SECRETS),
  ...[CLIENT_SECRET, WEBHOOK_TOKEN, WRITE_KEY, API_TOKEN],
]
