import type { IncomingHttpHeaders } from 'node:http'
import { GetObjectCommand, ListObjectsV2Command, S3Client } from '@aws-sdk/client-s3'
import { afterEach, describe, expect, it } from '@jest/globals'
import express from 'express'
import { type Listening, listen } from '../../sandbox/listen.ts'
import { createS3Sandbox, type S3SandboxOptions } from '../../sandbox/s3/s3-sandbox.ts'
import { BUCKET_LOGIN } from '../support/amplitude-bucket.ts'

const open: Listening[] = []
afterEach(async () => {
  for (const server of open.splice(0)) await server.close()
})

const Bucket = 'exports'
const Key = 'a folder/1_2026-09-01_5#0+(x)!.json.gz'

async function start(
  options: Partial<S3SandboxOptions> = {},
  region: string = BUCKET_LOGIN.region,
) {
  const sandbox = createS3Sandbox({ bucket: Bucket, ...BUCKET_LOGIN, ...options })
  const signed: { url: string; headers: IncomingHttpHeaders }[] = []
  const app = express().use((req, _res, next) => {
    signed.push({ url: req.originalUrl, headers: req.headers })
    next()
  })
  const server = await listen(app.use(sandbox.router))
  open.push(server)
  const client = new S3Client({
    region,
    endpoint: server.baseUrl,
    forcePathStyle: true,
    credentials: BUCKET_LOGIN,
    maxAttempts: 1,
  })
  sandbox.put(Key, Buffer.from('body'))
  const get = (more = {}) => client.send(new GetObjectCommand({ Bucket, Key, ...more }))
  const list = (more = {}) => client.send(new ListObjectsV2Command({ Bucket, ...more }))
  return { sandbox, client, server, signed, get, list }
}

/** Sends what was signed once more, with changes, and says what comes back. */
async function replay(
  server: Listening,
  { url, headers }: { url: string; headers: IncomingHttpHeaders },
  change: { url?: string; headers?: Readonly<Record<string, string>> } = {},
): Promise<string> {
  const names = ['authorization', 'x-amz-date', 'x-amz-content-sha256', 'x-amz-user-agent']
  const rest = Object.entries(headers).filter(
    ([name]) => names.includes(name) || name.startsWith('amz-sdk') || name.startsWith('x-amz'),
  )
  const sent = { ...Object.fromEntries(rest.map(([n, v]) => [n, String(v)])), ...change.headers }
  const response = await fetch(`${server.baseUrl}${change.url ?? url}`, { headers: sent })
  const code = /<Code>(\w+)<\/Code>/.exec(await response.text())?.[1]
  return `${response.status} ${code ?? ''}`.trim()
}

describe('the stand-in for S3', () => {
  it('hands out an object with its length and etag', async () => {
    const { get } = await start()
    const { Body, ContentLength, ETag } = await get()
    expect(await Body?.transformToString()).toBe('body')
    expect(ContentLength).toBe(4)
    expect(ETag).toBe('"841a2d689ad86bd1611447453c22c6fc"')
  })

  it('lists by prefix, in order and page by page', async () => {
    const { sandbox, list } = await start({ pageSize: 2 })
    for (const key of ['b/3', 'b/1', 'b/2', 'b/<&>']) sandbox.put(key, Buffer.from(key))
    const first = await list({ Prefix: 'b/' })
    expect(first).toMatchObject({ IsTruncated: true, KeyCount: 2 })
    expect(first.Contents?.map((o) => [o.Key, o.Size])).toEqual([
      ['b/1', 3],
      ['b/2', 3],
    ])
    const rest = await list({ Prefix: 'b/', ContinuationToken: first.NextContinuationToken })
    expect(rest.Contents?.map((o) => o.Key)).toEqual(['b/3', 'b/<&>'])
    expect(rest).toMatchObject({ IsTruncated: false })
    expect(rest.NextContinuationToken).toBeUndefined()
    expect((await list({ Prefix: 'c/' })).Contents).toBeUndefined()
  })

  it.each([
    { name: 'an object that is not there', more: { Key: 'other' }, want: 'NoSuchKey' },
    { name: 'a bucket that is not there', more: { Bucket: 'other' }, want: 'NoSuchBucket' },
    { name: 'another etag', more: { IfMatch: '"other"' }, want: 'PreconditionFailed' },
  ])('refuses $name with $want', async ({ more, want }) => {
    const { get } = await start()
    await expect(get(more)).rejects.toMatchObject({ name: want })
  })

  it('refuses a token that it did not give', async () => {
    const { list } = await start()
    const failure = list({ ContinuationToken: 'bm90aGluZw==' })
    await expect(failure).rejects.toMatchObject({ name: 'InvalidArgument' })
  })

  it.each([
    {
      name: 'another secret',
      options: { secretAccessKey: 'other' },
      want: 'SignatureDoesNotMatch',
    },
    { name: 'another key', options: { accessKeyId: 'AKIAOTHER' }, want: 'InvalidAccessKeyId' },
    {
      name: 'a clock that is off',
      options: { now: () => new Date('2020-01-01T00:00:00Z') },
      want: 'RequestTimeTooSkewed',
    },
    {
      name: 'another region',
      options: { region: 'us-west-2' },
      want: 'AuthorizationHeaderMalformed',
    },
  ])('refuses a signature by $name', async ({ options, want }) => {
    const { get } = await start(options)
    await expect(get()).rejects.toMatchObject({ name: want })
  })

  it('takes a signature for the request that it was made for, and for no other', async () => {
    const { server, signed, list } = await start()
    await list({ Prefix: 'a' })
    const [request] = signed
    if (!request) throw new Error('nothing was signed')
    expect(await replay(server, request)).toBe('200')
    const mismatch = '403 SignatureDoesNotMatch'
    const { url } = request
    expect(await replay(server, request, { url: url.replace('prefix=a', 'prefix=b') })).toBe(
      mismatch,
    )
    expect(await replay(server, request, { url: `${url}&more=1` })).toBe(mismatch)
    expect(await replay(server, request, { url: url.replace('?', 'key?') })).toBe(mismatch)
    const hash = { 'x-amz-content-sha256': 'UNSIGNED-PAYLOAD' }
    expect(await replay(server, request, { headers: hash })).toBe(mismatch)
    expect(await replay(server, request, { headers: { authorization: 'none' } })).toBe(
      '403 AccessDenied',
    )
  })

  it('plays faults for what they are meant for', async () => {
    const { sandbox, get, list } = await start()
    const error = { status: 503, code: 'SlowDown', message: 'Please reduce your request rate.' }
    sandbox.faults.add({ kind: 's3-error', error }, { when: (range) => range?.from === Key })
    expect((await list()).KeyCount).toBe(1)
    await expect(get()).rejects.toMatchObject({ name: 'SlowDown' })
    expect((await get()).ContentLength).toBe(4)
    sandbox.faults.add({ kind: 'half-body' })
    const { Body } = await get()
    await expect(Body?.transformToString()).rejects.toThrow()
  })
})
