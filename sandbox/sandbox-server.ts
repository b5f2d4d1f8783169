import express from 'express'
import { type AmplitudeSandbox, createAmplitudeSandbox } from './amplitude/amplitude-sandbox.ts'
import { installPackage } from './company/salesforce-package.ts'
import type { SampleCompany } from './company/sample-company.ts'
import { seedCrm } from './company/seed-crm.ts'
import { seedSalesforce } from './company/seed-salesforce.ts'
import { createHubspotSandbox, type HubspotSandbox } from './hubspot/hubspot-sandbox.ts'
import { listen } from './listen.ts'
import { createMixpanelSandbox, type MixpanelSandbox } from './mixpanel/mixpanel-sandbox.ts'
import {
  createSalesforceSandbox,
  SANDBOX_TOKEN,
  type SalesforceSandbox,
} from './salesforce/salesforce-sandbox.ts'

/** What lets a client in; no secret, since the server listens on loopback only. */
export const SANDBOX_CREDENTIALS = {
  hubspotToken: 'sandbox-token',
  amplitudeApiKey: 'sandbox-key',
  amplitudeSecretKey: 'sandbox-secret',
  mixpanelServiceAccount: 'sandbox-account',
  mixpanelSecret: 'sandbox-secret',
  salesforceToken: SANDBOX_TOKEN,
} as const

export interface SandboxServerOptions {
  /** 0 takes a free port. */
  readonly port: number
  /** Folder that keeps HubSpot's records; absent = memory only. */
  readonly dataDir?: string
  readonly company: SampleCompany
  /** Fill HubSpot with the company's contacts and companies if it is empty. */
  readonly seed: boolean
  /** Play a Salesforce org too, with the package of Ripen in it; its records live in memory. */
  readonly salesforce?: boolean
  /** What HubSpot takes for now, in milliseconds since 1970; the machine's clock when left out. */
  readonly now?: () => number
  /** Calls that Mixpanel allows in an hour. */
  readonly mixpanelRatePerHour?: number
}

/** HubSpot, Amplitude and Mixpanel on one loopback address; their paths do not meet. */
export interface SandboxServer {
  readonly baseUrl: string
  readonly hubspot: HubspotSandbox
  readonly amplitude: AmplitudeSandbox
  readonly mixpanel: MixpanelSandbox
  /** Null unless it was asked for. */
  readonly salesforce: SalesforceSandbox | null
  /** The environment that points Ripen at this server. */
  readonly environment: Readonly<Record<string, string>>
  close(): Promise<void>
}

/** Starts all stand-ins on one port. */
export async function startSandboxServer(options: SandboxServerOptions): Promise<SandboxServer> {
  const { company, dataDir } = options
  const hubspot = await createHubspotSandbox({
    token: SANDBOX_CREDENTIALS.hubspotToken,
    ...(dataDir === undefined ? {} : { dataDir }),
    ...(options.now ? { now: options.now } : {}),
  })
  if (options.seed && hubspot.records('contacts').length === 0) seedCrm(hubspot, company)
  const amplitude = createAmplitudeSandbox({
    apiKey: SANDBOX_CREDENTIALS.amplitudeApiKey,
    secretKey: SANDBOX_CREDENTIALS.amplitudeSecretKey,
    projectId: String(company.projects.amplitude),
    events: company.amplitude,
  })
  const mixpanel = createMixpanelSandbox({
    projectId: String(company.projects.mixpanel),
    serviceAccount: SANDBOX_CREDENTIALS.mixpanelServiceAccount,
    secret: SANDBOX_CREDENTIALS.mixpanelSecret,
    events: company.mixpanel,
    ...(options.mixpanelRatePerHour ? { ratePerHour: options.mixpanelRatePerHour } : {}),
  })
  const salesforce = options.salesforce ? await openOrg(options) : null
  const app = express()
  app.disable('x-powered-by')
  app.use(amplitude.router)
  app.use(mixpanel.router)
  if (salesforce) app.use(salesforce.router)
  app.use(hubspot.router)
  const server = await listen(app, options.port)
  const streamHost = salesforce === null ? null : await salesforce.pubsub.listen()
  return {
    baseUrl: server.baseUrl,
    hubspot,
    amplitude,
    mixpanel,
    salesforce,
    environment: environmentFor(server.baseUrl, company, streamHost),
    close: async () => {
      await server.close()
      await hubspot.close()
      await salesforce?.close()
    },
  }
}

/** An org as it is once an admin has deployed the package. */
async function openOrg({ seed, company }: SandboxServerOptions): Promise<SalesforceSandbox> {
  const org = await createSalesforceSandbox({ token: SANDBOX_CREDENTIALS.salesforceToken })
  installPackage(org)
  if (seed) seedSalesforce(org, company)
  return org
}

function environmentFor(
  baseUrl: string,
  company: SampleCompany,
  streamHost: string | null,
): Record<string, string> {
  return {
    AMPLITUDE_BASE_URL: baseUrl,
    AMPLITUDE_API_KEY: SANDBOX_CREDENTIALS.amplitudeApiKey,
    AMPLITUDE_SECRET_KEY: SANDBOX_CREDENTIALS.amplitudeSecretKey,
    MIXPANEL_BASE_URL: baseUrl,
    MIXPANEL_QUERY_BASE_URL: baseUrl,
    MIXPANEL_PROJECT_ID: String(company.projects.mixpanel),
    MIXPANEL_SERVICE_ACCOUNT: SANDBOX_CREDENTIALS.mixpanelServiceAccount,
    MIXPANEL_SECRET: SANDBOX_CREDENTIALS.mixpanelSecret,
    HUBSPOT_BASE_URL: baseUrl,
    HUBSPOT_ACCESS_TOKEN: SANDBOX_CREDENTIALS.hubspotToken,
    ...(streamHost !== null
      ? {
          SALESFORCE_BASE_URL: baseUrl,
          SALESFORCE_PUBSUB_URL: `http://${streamHost}`,
          SALESFORCE_ACCESS_TOKEN: SANDBOX_CREDENTIALS.salesforceToken,
        }
      : {}),
  }
}
