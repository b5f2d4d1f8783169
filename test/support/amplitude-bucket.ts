import express from 'express'
import { createAmplitudeBucketSource } from '../../connectors/sources/amplitude/bucket-source.ts'
import { exportEntries } from '../../sandbox/amplitude/export-archive.ts'
import type { UsageRows } from '../../sandbox/company/usage-rows.ts'
import { listen } from '../../sandbox/listen.ts'
import {
  createS3Sandbox,
  type S3Sandbox,
  type S3SandboxOptions,
} from '../../sandbox/s3/s3-sandbox.ts'
import type { UsageSource } from '../../src/core/ports/usage-source.ts'

export const BUCKET_LOGIN = {
  accessKeyId: 'AKIATESTTESTTESTTEST',
  secretAccessKey: 'bucket-test-secret',
  region: 'eu-central-1',
} as const

export interface BucketStandIn {
  readonly baseUrl: string
  readonly sandbox: S3Sandbox
  /** The variables that point Ripen here. */
  readonly environment: Readonly<Record<string, string>>
  close(): Promise<void>
}

/** An S3 stand-in with one bucket, `exports`, on a port of its own. */
export async function startBucket(options: Partial<S3SandboxOptions> = {}): Promise<BucketStandIn> {
  const sandbox = createS3Sandbox({ bucket: 'exports', ...BUCKET_LOGIN, ...options })
  const { baseUrl, close } = await listen(express().use(sandbox.router))
  return {
    baseUrl,
    sandbox,
    environment: {
      AMPLITUDE_S3_BUCKET: 'exports',
      AMPLITUDE_S3_REGION: BUCKET_LOGIN.region,
      AMPLITUDE_S3_ENDPOINT: baseUrl,
      AMPLITUDE_S3_ACCESS_KEY_ID: BUCKET_LOGIN.accessKeyId,
      AMPLITUDE_S3_SECRET_ACCESS_KEY: BUCKET_LOGIN.secretAccessKey,
    },
    close,
  }
}

interface BucketAccess {
  readonly bucket?: string
  readonly prefix?: string
  readonly region?: string
  readonly accessKeyId?: string
  readonly secretAccessKey?: string
}

/** The connector that points at a stand-in. */
export function bucketSource({ baseUrl }: BucketStandIn, access: BucketAccess = {}): UsageSource {
  const { bucket = 'exports', prefix = '', ...login } = access
  const { region, ...credentials } = { ...BUCKET_LOGIN, ...login }
  return createAmplitudeBucketSource({ bucket, prefix, region, endpoint: baseUrl, credentials })
}

/** Puts the hours of these rows into the bucket, as Amplitude does. */
export async function putHours(
  sandbox: S3Sandbox,
  rows: UsageRows,
  { prefix = '', project = '431207' } = {},
): Promise<void> {
  const hours = [...rows.keys()].sort()
  for await (const { name, body } of exportEntries(project, rows, hours)) {
    sandbox.put(`${prefix}${name}`, body)
  }
}
