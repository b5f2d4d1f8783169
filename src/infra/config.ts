import { isAbsolute, resolve } from 'node:path'
import { z } from 'zod'
import { ConfigError } from '../core/errors.ts'
import { DEFAULT_OBJECTIVE, type Objective, readObjective } from '../core/freshness/objective.ts'
import { keyringProblem } from './secrets/keyring.ts'

const httpUrl = z.url({ protocol: /^https?$/, error: 'must be an http(s) URL' })
const whole = (least: number, most: number) =>
  z.coerce
    .number(`must be a whole number from ${least} to ${most}`)
    .refine(
      (n) => Number.isInteger(n) && n >= least && n <= most,
      `must be a whole number from ${least} to ${most}`,
    )

const share = z.coerce
  .number('must be a number above 0 and up to 1')
  .refine((n) => n > 0 && n <= 1, 'must be a number above 0 and up to 1')
const timeZone = z.string().refine(isTimeZone, 'must be an IANA time zone such as Europe/Berlin')
const address = z.email('must be an e-mail address')
const secret = z.string().min(16, 'must have 16 characters at least')

/** Every environment variable that Ripen reads, with its default. Empty means absent. */
const variables = z.object({
  DATABASE_URL: z
    .string()
    .regex(
      /^postgres(ql)?:\/\//,
      'must start with postgres:// (leave it out for the embedded server)',
    )
    .optional(),
  REDIS_URL: z
    .string()
    .regex(/^rediss?:\/\//, 'must start with redis:// (leave it out to queue in PostgreSQL)')
    .optional(),
  RIPEN_DATA_DIR: z.string().default('./data'),
  RIPEN_MAPPINGS_DIR: z.string().optional(),
  RIPEN_HOST: z.string().default('127.0.0.1'),
  RIPEN_PORT: whole(0, 65_535).default(4000),
  RIPEN_API_TOKEN: secret.optional(),
  RIPEN_PUBLIC_URL: httpUrl.optional(),
  RIPEN_ENCRYPTION_KEY: z
    .string()
    .superRefine((text, context) => {
      const message = keyringProblem(text)
      if (message !== null) context.addIssue({ code: 'custom', message })
    })
    .optional(),
  RIPEN_LOG_LEVEL: z.enum(['trace', 'debug', 'info', 'warn', 'error', 'silent']).optional(),
  RIPEN_CRM_TIMEOUT_MS: whole(100, 120_000).default(30_000),
  RIPEN_PULL_OVERDUE_MINUTES: whole(1, 10_080).default(45),
  RIPEN_ALERT_SLACK_URL: httpUrl.optional(),
  RIPEN_ALERT_WEBHOOK_URL: httpUrl.optional(),
  RIPEN_ALERT_WEBHOOK_SECRET: secret.optional(),
  RIPEN_ALERT_SMTP_URL: z.url({ protocol: /^smtps?$/, error: 'must be an smtp(s) URL' }).optional(),
  RIPEN_ALERT_EMAIL_FROM: address.optional(),
  RIPEN_ALERT_EMAIL_TO: z
    .string()
    .transform((text) => text.split(',').map((part) => part.trim()))
    .pipe(z.array(address))
    .optional(),
  RIPEN_ALERT_PARKED_SHARE: share.default(0.02),
  RIPEN_ALERT_QUOTA_LEFT: share.default(0.1),
  RIPEN_CANARY_EMAIL: address.optional(),
  RIPEN_CANARY_MINUTES: whole(1, 1440).default(60),
  RIPEN_CANARY_WITHIN_MINUTES: whole(1, 1440).default(15),
  RIPEN_FRESHNESS_SLO: z
    .string()
    .default(DEFAULT_OBJECTIVE)
    .transform((text, context): Objective => {
      const objective = readObjective(text)
      if (typeof objective !== 'string') return objective
      context.addIssue({ code: 'custom', message: objective })
      return z.NEVER
    }),
  RIPEN_SCORE_SHARD_PEOPLE: whole(1, 1_000_000).default(10_000),
  RIPEN_DUCKDB_MEMORY_MB: whole(128, 1_048_576).default(512),
  RIPEN_DUCKDB_THREADS: whole(1, 256).optional(),
  AMPLITUDE_REGION: z.enum(['us', 'eu']).default('us'),
  AMPLITUDE_BASE_URL: httpUrl.optional(),
  AMPLITUDE_API_KEY: z.string().optional(),
  AMPLITUDE_SECRET_KEY: z.string().optional(),
  AMPLITUDE_START: z.iso.date().optional(),
  // Sooner than two hours after its end Amplitude does not have an hour whole.
  AMPLITUDE_DUE_HOURS: whole(2, 168).default(3),
  AMPLITUDE_S3_BUCKET: z.string().optional(),
  AMPLITUDE_S3_PREFIX: z.string().optional(),
  AMPLITUDE_S3_REGION: z.string().default('us-east-1'),
  AMPLITUDE_S3_ENDPOINT: httpUrl.optional(),
  AMPLITUDE_S3_ACCESS_KEY_ID: z.string().optional(),
  AMPLITUDE_S3_SECRET_ACCESS_KEY: z.string().optional(),
  MIXPANEL_REGION: z.enum(['us', 'eu', 'in'], 'must be us, eu or in').default('us'),
  MIXPANEL_BASE_URL: httpUrl.optional(),
  MIXPANEL_QUERY_BASE_URL: httpUrl.optional(),
  AMPLITUDE_WEBHOOK_TOKEN: secret.optional(),
  MIXPANEL_PROJECT_ID: z.string().optional(),
  MIXPANEL_SERVICE_ACCOUNT: z.string().optional(),
  MIXPANEL_SECRET: z.string().optional(),
  MIXPANEL_TIMEZONE: timeZone.default('UTC'),
  MIXPANEL_START: z.iso.date().optional(),
  MIXPANEL_OPEN_DAY_MINUTES: whole(5, 1440).default(15),
  MIXPANEL_LOOK_BACK_DAYS: whole(0, 90).default(5),
  MIXPANEL_SWEEP_MINUTES: whole(0, 10_080).default(60),
  MIXPANEL_SWEEP_DAYS: whole(1, 365).default(90),
  MIXPANEL_PROFILES_HOURS: whole(0, 720).default(24),
  MIXPANEL_GROUPS: z
    .string()
    .regex(/^[^=,\s]+=-?\d+(,[^=,\s]+=-?\d+)*$/, 'must be written company=1234,workspace=5678')
    .optional(),
  SEGMENT_WRITE_KEY: secret.optional(),
  HUBSPOT_BASE_URL: httpUrl.default('https://api.hubapi.com'),
  HUBSPOT_APP_URL: httpUrl.default('https://app.hubspot.com'),
  HUBSPOT_ACCESS_TOKEN: z.string().optional(),
  HUBSPOT_CLIENT_ID: z.string().optional(),
  HUBSPOT_CLIENT_SECRET: z.string().optional(),
  HUBSPOT_OAUTH_SCOPES: z
    .string()
    .regex(/^[\w.-]+([ ,]+[\w.-]+)*$/, 'must be names of scopes with spaces or commas')
    .optional(),
  HUBSPOT_OAUTH_PKCE: z.enum(['on', 'off']).default('on'),
  HUBSPOT_API_VERSION: z
    .string()
    .regex(/^\d{4}-\d{2}(-beta)?$/, 'must be a dated version such as 2026-03')
    .optional(),
  HUBSPOT_CALLS_PER_10S: whole(10, 250).optional(),
  HUBSPOT_DAILY_SHARE: share.default(0.8),
  HUBSPOT_TIMEZONE: timeZone.optional(),
  HUBSPOT_ADDITIONAL_DOMAINS: z.enum(['in', 'token', 'off']).default('in'),
  SALESFORCE_BASE_URL: httpUrl.optional(),
  SALESFORCE_OAUTH_FLOW: z.enum(['code', 'client-credentials', 'jwt']).default('code'),
  SALESFORCE_CLIENT_ID: z.string().optional(),
  SALESFORCE_CLIENT_SECRET: z.string().optional(),
  SALESFORCE_USERNAME: z.string().optional(),
  SALESFORCE_PRIVATE_KEY_FILE: z.string().optional(),
  SALESFORCE_JWT_AUDIENCE: httpUrl.default('https://login.salesforce.com'),
  SALESFORCE_OAUTH_SCOPES: z
    .string()
    .regex(/^[\w.-]+([ ,]+[\w.-]+)*$/, 'must be names of scopes with spaces or commas')
    .optional(),
  SALESFORCE_SESSION_MINUTES: whole(2, 1440).default(15),
  SALESFORCE_ACCESS_TOKEN: z.string().optional(),
  SALESFORCE_API_VERSION: z
    .string()
    .regex(/^\d{2,3}\.0$/, 'must be a version such as 67.0')
    .default('67.0'),
  SALESFORCE_PUBSUB_URL: z
    .union([httpUrl, z.literal('off')], 'must be an http(s) URL, or off')
    .optional(),
  SALESFORCE_CALLS_PER_10S: whole(10, 1_000).default(400),
  SALESFORCE_DAILY_SHARE: share.default(0.5),
})

const environment = variables.superRefine((config, context) => {
  const refuse = (name: string, message: string) =>
    context.addIssue({ code: 'custom', path: [name], message })
  const { HUBSPOT_CLIENT_ID, HUBSPOT_CLIENT_SECRET, RIPEN_ENCRYPTION_KEY } = config
  if (HUBSPOT_CLIENT_ID && !HUBSPOT_CLIENT_SECRET) {
    refuse('HUBSPOT_CLIENT_SECRET', 'belongs to HUBSPOT_CLIENT_ID; set both')
  }
  if (HUBSPOT_CLIENT_ID && !RIPEN_ENCRYPTION_KEY) {
    const why = 'is needed to keep what HubSpot gives to an app'
    refuse('RIPEN_ENCRYPTION_KEY', `${why}; make one with openssl rand -base64 32`)
  }
  for (const [name, why] of salesforceProblems(config)) refuse(name, why)
  const { RIPEN_ALERT_SMTP_URL, RIPEN_ALERT_EMAIL_FROM, RIPEN_ALERT_EMAIL_TO } = config
  const mail = { RIPEN_ALERT_SMTP_URL, RIPEN_ALERT_EMAIL_FROM, RIPEN_ALERT_EMAIL_TO }
  if (Object.values(mail).some((value) => value !== undefined)) {
    for (const [name, value] of Object.entries(mail)) {
      if (value === undefined) refuse(name, 'is needed for alerts by e-mail')
    }
  }
})

/** What each way of logging in at Salesforce needs. */
function salesforceProblems(config: z.output<typeof variables>): [string, string][] {
  const { SALESFORCE_CLIENT_ID, SALESFORCE_ACCESS_TOKEN, SALESFORCE_OAUTH_FLOW: flow } = config
  if (!SALESFORCE_CLIENT_ID && !SALESFORCE_ACCESS_TOKEN) return []
  const needed: [keyof typeof config, string][] = [
    ['SALESFORCE_BASE_URL', 'is needed: the My Domain address of the org'],
  ]
  if (SALESFORCE_CLIENT_ID && flow === 'client-credentials') {
    needed.push(['SALESFORCE_CLIENT_SECRET', 'is needed for the flow client-credentials'])
  }
  if (SALESFORCE_CLIENT_ID && flow === 'jwt') {
    needed.push(['SALESFORCE_USERNAME', 'is needed for the flow jwt'])
    needed.push(['SALESFORCE_PRIVATE_KEY_FILE', 'is needed for the flow jwt'])
  }
  if (SALESFORCE_CLIENT_ID && flow === 'code') {
    const why = 'is needed to keep what Salesforce gives to an app'
    needed.push(['RIPEN_ENCRYPTION_KEY', `${why}; make one with openssl rand -base64 32`])
  }
  return needed.filter(([name]) => !config[name])
}

export type Config = Readonly<z.output<typeof variables>>

/**
 * Reads the configuration out of an environment.
 * @throws {ConfigError} naming every bad variable together, never its value.
 */
export function readConfig(
  env: Readonly<Record<string, string | undefined>> = process.env,
): Config {
  const given = Object.fromEntries(
    Object.keys(variables.shape).map((name) => [name, env[name] === '' ? undefined : env[name]]),
  )
  const result = environment.safeParse(given)
  if (!result.success) {
    const lines = result.error.issues.map((issue) => `${issue.path.join('.')}: ${issue.message}`)
    throw new ConfigError(`wrong environment:\n${lines.join('\n')}`)
  }
  const config = result.data
  const dataDir = isAbsolute(config.RIPEN_DATA_DIR)
    ? config.RIPEN_DATA_DIR
    : resolve(config.RIPEN_DATA_DIR)
  return { ...config, RIPEN_DATA_DIR: dataDir }
}

/** What the environment says of a variable that a mapping names; null where it says nothing. */
export function namedVariable(
  name: string,
  env: Readonly<Record<string, string | undefined>> = process.env,
): string | null {
  return env[name] || null
}

/** Names of all variables, for the documentation test. */
export const CONFIG_VARIABLES: readonly string[] = Object.keys(variables.shape)

/** Named zones only: an offset has no daylight saving, and DuckDB takes none. */
function isTimeZone(zone: string): boolean {
  if (!/^[A-Za-z]/.test(zone)) return false
  try {
    new Intl.DateTimeFormat('en', { timeZone: zone })
    return true
  } catch {
    return false
  }
}
