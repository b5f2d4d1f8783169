import express, { type Request, type RequestHandler, type Response } from 'express'
import {
  type AmplitudeSandbox,
  createAmplitudeSandbox,
} from '../../sandbox/amplitude/amplitude-sandbox.ts'
import type { UsageRows } from '../../sandbox/company/usage-rows.ts'
import {
  createHubspotSandbox,
  type HubspotSandbox,
  type HubspotSandboxOptions,
} from '../../sandbox/hubspot/hubspot-sandbox.ts'
import { listen } from '../../sandbox/listen.ts'
import {
  createMixpanelSandbox,
  type MixpanelSandbox,
} from '../../sandbox/mixpanel/mixpanel-sandbox.ts'
import { VENDOR_SECRETS } from './log-secrets.ts'

/** What the stand-ins are let in with; no test may find it in an output. */
export const SECRETS = VENDOR_SECRETS

type RequestListener = (request: {
  readonly phase: 'arrived' | 'answered'
  readonly method: string
  readonly path: string
}) => void

/** All stand-ins on one port, with a place to listen to what they are asked. */
export interface Vendors {
  readonly baseUrl: string
  readonly hubspot: HubspotSandbox
  readonly amplitude: AmplitudeSandbox
  readonly mixpanel: MixpanelSandbox
  /** The variables that point Ripen here. */
  readonly environment: Readonly<Record<string, string>>
  /** Calls `told` with every request as it arrives and once it is answered; null listens no more. */
  onRequest(told: RequestListener | null): void
  close(): Promise<void>
}

export interface VendorRows {
  /** By UTC hour of upload. */
  readonly amplitude: UsageRows
  /** By UTC day. */
  readonly mixpanel: UsageRows
}

export interface VendorsOptions {
  readonly rows: VendorRows
  readonly hubspot?: HubspotSandboxOptions
  /** First day that is pulled, `YYYY-MM-DD`. */
  readonly start: string
  /** Today, for Mixpanel. */
  readonly now: () => Date
  /** Profiles of Mixpanel on one page. */
  readonly profilesPerPage?: number | undefined
  /** Mounted before the stand-in of HubSpot. */
  readonly beforeHubspot?: readonly RequestHandler[] | undefined
}

/** Starts stand-ins for Amplitude, Mixpanel and HubSpot with limits that no test meets by chance. */
export async function startVendors(options: VendorsOptions): Promise<Vendors> {
  const { rows, start, now } = options
  const hubspot = await createHubspotSandbox({
    token: SECRETS.hubspot,
    limits: { burst: 100_000, searchPerSecond: 100_000 },
    ...options.hubspot,
  })
  const amplitude = createAmplitudeSandbox({
    apiKey: 'amplitude-key',
    secretKey: SECRETS.amplitude,
    events: rows.amplitude,
  })
  const mixpanel = createMixpanelSandbox({
    projectId: '77',
    serviceAccount: 'mixpanel-account',
    secret: SECRETS.mixpanel,
    events: rows.mixpanel,
    profilesPerPage: options.profilesPerPage ?? 1000,
    ratePerHour: 100_000,
    ratePerSecond: 100_000,
    now,
  })
  let told: RequestListener | null = null
  const app = express()
  app.use((request: Request, response: Response, next: () => void) => {
    const { method, path } = request
    response.once('finish', () => told?.({ phase: 'answered', method, path }))
    told?.({ phase: 'arrived', method, path })
    next()
  })
  app.use(amplitude.router, mixpanel.router, ...(options.beforeHubspot ?? []), hubspot.router)
  const { baseUrl, close } = await listen(app)
  return {
    baseUrl,
    hubspot,
    amplitude,
    mixpanel,
    environment: {
      AMPLITUDE_BASE_URL: baseUrl,
      AMPLITUDE_API_KEY: 'amplitude-key',
      AMPLITUDE_SECRET_KEY: SECRETS.amplitude,
      AMPLITUDE_START: start,
      MIXPANEL_BASE_URL: baseUrl,
      MIXPANEL_QUERY_BASE_URL: baseUrl,
      MIXPANEL_PROJECT_ID: '77',
      MIXPANEL_SERVICE_ACCOUNT: 'mixpanel-account',
      MIXPANEL_SECRET: SECRETS.mixpanel,
      MIXPANEL_START: start,
      HUBSPOT_BASE_URL: baseUrl,
      HUBSPOT_ACCESS_TOKEN: SECRETS.hubspot,
    },
    onRequest(listener) {
      told = listener
    },
    async close() {
      await close()
      await hubspot.close()
    },
  }
}
