import { createAmplitudeSource } from '../../connectors/sources/amplitude/amplitude-source.ts'
import { createAmplitudeBucketSource } from '../../connectors/sources/amplitude/bucket-source.ts'
import type { ConnectedSource } from '../../jobs/context.ts'
import { ConfigError } from '../core/errors.ts'
import type { Config } from '../infra/config.ts'

/** By where Amplitude keeps the project ("Data residency" in its Export API). */
const HOSTS = { us: 'https://amplitude.com', eu: 'https://analytics.eu.amplitude.com' } as const

/**
 * Amplitude: the bucket of its S3 export when one is named, else its Export API.
 * @throws {ConfigError} when only half of the bucket's credentials is set.
 */
export function connectAmplitude(config: Config): ConnectedSource {
  const start = config.AMPLITUDE_START ? new Date(config.AMPLITUDE_START) : null
  const bucket = config.AMPLITUDE_S3_BUCKET
  if (bucket) {
    const source = createAmplitudeBucketSource({
      bucket,
      prefix: config.AMPLITUDE_S3_PREFIX ?? '',
      region: config.AMPLITUDE_S3_REGION,
      endpoint: config.AMPLITUDE_S3_ENDPOINT ?? null,
      credentials: bucketCredentials(config),
    })
    return { source, online: true, variables: 'AMPLITUDE_S3_BUCKET', start }
  }
  const [apiKey, secretKey] = [config.AMPLITUDE_API_KEY ?? '', config.AMPLITUDE_SECRET_KEY ?? '']
  return {
    source: createAmplitudeSource({
      baseUrl: config.AMPLITUDE_BASE_URL ?? HOSTS[config.AMPLITUDE_REGION],
      apiKey,
      secretKey,
      dueHours: config.AMPLITUDE_DUE_HOURS,
    }),
    online: apiKey !== '' && secretKey !== '',
    variables:
      'AMPLITUDE_API_KEY and AMPLITUDE_SECRET_KEY, or AMPLITUDE_S3_BUCKET, or pull files with --files DIR',
    start,
  }
}

/** Null leaves it to AWS's own variables, profiles and roles. */
function bucketCredentials(config: Config) {
  const accessKeyId = config.AMPLITUDE_S3_ACCESS_KEY_ID
  const secretAccessKey = config.AMPLITUDE_S3_SECRET_ACCESS_KEY
  if (accessKeyId && secretAccessKey) return { accessKeyId, secretAccessKey }
  if (!accessKeyId && !secretAccessKey) return null
  throw new ConfigError(
    'AMPLITUDE_S3_ACCESS_KEY_ID and AMPLITUDE_S3_SECRET_ACCESS_KEY belong together; set both, or neither to use the credentials of AWS',
  )
}
