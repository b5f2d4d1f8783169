import { isAbsolute, resolve } from 'node:path'
import { z } from 'zod'
import { ConfigError } from '../core/errors.ts'

const httpUrl = z.url({ protocol: /^https?$/, error: 'must be an http(s) URL' })
const whole = (least: number, most: number) =>
  z.coerce
    .number(`must be a whole number from ${least} to ${most}`)
    .refine(
      (n) => Number.isInteger(n) && n >= least && n <= most,
      `must be a whole number from ${least} to ${most}`,
    )

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
  RIPEN_LOG_LEVEL: z.enum(['trace', 'debug', 'info', 'warn', 'error', 'silent']).optional(),
  RIPEN_CRM_TIMEOUT_MS: whole(100, 120_000).default(30_000),
  RIPEN_DUCKDB_MEMORY_MB: whole(128, 1_048_576).default(512),
  RIPEN_DUCKDB_THREADS: whole(1, 256).optional(),
  AMPLITUDE_BASE_URL: httpUrl.default('https://amplitude.com'),
  AMPLITUDE_API_KEY: z.string().optional(),
  AMPLITUDE_SECRET_KEY: z.string().optional(),
  AMPLITUDE_START: z.iso.date().optional(),
  AMPLITUDE_WEBHOOK_TOKEN: secret.optional(),
  MIXPANEL_BASE_URL: httpUrl.default('https://data.mixpanel.com'),
  MIXPANEL_PROJECT_ID: z.string().optional(),
  MIXPANEL_SERVICE_ACCOUNT: z.string().optional(),
  MIXPANEL_SECRET: z.string().optional(),
  MIXPANEL_TIMEZONE: z
    .string()
    .refine(isTimeZone, 'must be an IANA time zone such as Europe/Berlin')
    .default('UTC'),
  MIXPANEL_START: z.iso.date().optional(),
  SEGMENT_WRITE_KEY: secret.optional(),
  HUBSPOT_BASE_URL: httpUrl.default('https://api.hubapi.com'),
  HUBSPOT_ACCESS_TOKEN: z.string().optional(),
  HUBSPOT_CALLS_PER_10S: whole(10, 250).default(90),
})

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
  const result = variables.safeParse(given)
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
