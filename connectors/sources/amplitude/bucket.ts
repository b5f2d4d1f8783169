import { createWriteStream } from 'node:fs'
import type { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import type { S3Client, S3ClientConfig } from '@aws-sdk/client-s3'
import { bucketFailure } from './bucket-failure.ts'

export interface BucketOptions {
  readonly bucket: string
  /** What the names of the objects begin with; empty for the whole bucket. */
  readonly prefix: string
  readonly region: string
  /** An S3-compatible service other than AWS; null for AWS. */
  readonly endpoint: string | null
  /** Null takes what AWS's own variables, profiles and roles give. */
  readonly credentials: { readonly accessKeyId: string; readonly secretAccessKey: string } | null
}

export interface BucketObject {
  readonly key: string
  /** Another one once the content is another. */
  readonly etag: string
}

/**
 * A bucket that is read.
 * @throws {ConfigError | RateLimitedError | RetryableError} from both functions.
 */
export interface Bucket {
  list(signal: AbortSignal): AsyncIterable<BucketObject>
  /** Streams an object to disk; false when there is none with this name and etag any more. */
  save(object: BucketObject, path: string, signal: AbortSignal): Promise<boolean>
}

const CONNECT_TIMEOUT_MS = 10_000
/** No byte for so long: the connection is dead. */
const IDLE_TIMEOUT_MS = 60_000

export function openBucket(options: BucketOptions): Bucket {
  const { bucket: Bucket, prefix: Prefix } = options
  let client: S3Client | null = null
  // Loaded at the first call: it is large, and most have no bucket.
  const connect = async () => {
    const sdk = await import('@aws-sdk/client-s3')
    client ??= new sdk.S3Client(clientConfig(options))
    return { sdk, client }
  }
  return {
    async *list(abortSignal) {
      const { client, sdk } = await connect()
      let ContinuationToken: string | undefined
      do {
        const command = new sdk.ListObjectsV2Command({ Bucket, Prefix, ContinuationToken })
        const page = await client.send(command, { abortSignal }).catch((error: unknown) => {
          throw bucketFailure(error, options)
        })
        for (const { Key, ETag } of page.Contents ?? []) {
          if (Key !== undefined && ETag !== undefined) yield { key: Key, etag: ETag }
        }
        ContinuationToken = page.IsTruncated ? page.NextContinuationToken : undefined
      } while (ContinuationToken !== undefined)
    },
    async save({ key, etag }, path, abortSignal) {
      const { client, sdk } = await connect()
      try {
        const command = new sdk.GetObjectCommand({ Bucket, Key: key, IfMatch: etag })
        const { Body } = await client.send(command, { abortSignal })
        await pipeline(Body as Readable, createWriteStream(path))
        return true
      } catch (error) {
        if (isGone(error)) return false
        throw bucketFailure(error, options)
      }
    },
  }
}

function clientConfig({ region, endpoint, credentials }: BucketOptions): S3ClientConfig {
  return {
    region,
    // The queue repeats; see the failure policy.
    maxAttempts: 1,
    requestHandler: { connectionTimeout: CONNECT_TIMEOUT_MS, socketTimeout: IDLE_TIMEOUT_MS },
    // Services that keep to S3's older protocol know no other checksums than the ETag.
    responseChecksumValidation: 'WHEN_REQUIRED',
    ...(endpoint ? { endpoint, forcePathStyle: true } : {}),
    ...(credentials ? { credentials } : {}),
  }
}

function isGone(error: unknown): boolean {
  return error instanceof Error && ['NoSuchKey', 'PreconditionFailed'].includes(error.name)
}
