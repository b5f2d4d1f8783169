import { createServer, type IncomingHttpHeaders, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals'
import { Webhook } from 'standardwebhooks'
import { sendWebhook, signedHeaders, slackBody } from '../../src/infra/outbound/webhook.ts'

interface Heard {
  readonly headers: IncomingHttpHeaders
  readonly body: string
}

let server: Server
let url: string
let answer: { status: number; headers?: Record<string, string>; hangs?: boolean }
let heard: Heard[]
beforeEach(async () => {
  heard = []
  answer = { status: 204 }
  server = createServer((request, response) => {
    const chunks: Buffer[] = []
    request.on('data', (chunk: Buffer) => chunks.push(chunk))
    request.on('end', () => {
      heard.push({ headers: request.headers, body: Buffer.concat(chunks).toString('utf8') })
      if (!answer.hangs) response.writeHead(answer.status, answer.headers).end()
    })
  })
  await new Promise<void>((listening) => server.listen(0, '127.0.0.1', listening))
  url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/hook?key=hidden`
})
afterEach(async () => {
  server.closeAllConnections()
  await new Promise((closed) => server.close(closed))
})

const SECRET = 'a secret of sixteen or more'
const send = (more: Partial<Parameters<typeof sendWebhook>[0]> = {}) =>
  sendWebhook(
    {
      id: 'msg_1',
      url,
      secret: SECRET,
      body: '{"a":"ü"}',
      at: new Date(),
      timeoutMs: 2_000,
      ...more,
    },
    new AbortController().signal,
  )
const headersOf = ({ headers }: Heard) => headers as Record<string, string>

describe('a webhook', () => {
  it('arrives with a signature that the receiver can check, and none that is of another body', async () => {
    expect(await send()).toEqual({ kind: 'delivered' })
    const [message] = heard
    if (!message) throw new Error('nothing arrived')
    expect(message.headers['webhook-id']).toBe('msg_1')
    const receiver = new Webhook(Buffer.from(SECRET, 'utf8'), { format: 'raw' })
    expect(receiver.verify(message.body, headersOf(message))).toEqual({ a: 'ü' })
    expect(() => receiver.verify(`${message.body} `, headersOf(message))).toThrow()
  })

  it('takes a secret in base64 too, and signs each time for its own instant', () => {
    const secret = `whsec_${Buffer.from(SECRET).toString('base64')}`
    const sign = (how: string, at: Date) => signedHeaders({ id: 'm', secret: how, body: '{}', at })
    const now = new Date('2026-11-30T12:00:00Z')
    expect(sign(secret, now)).toEqual(sign(SECRET, now))
    const later = sign(SECRET, new Date(now.getTime() + 1_000))
    expect(later['webhook-signature']).not.toBe(sign(SECRET, now)['webhook-signature'])
  })

  it('without a secret is unsigned: for Slack', async () => {
    expect(await send({ secret: null, body: slackBody('Hello') })).toEqual({ kind: 'delivered' })
    expect(heard[0]).toMatchObject({ body: '{"text":"Hello"}' })
    expect(heard[0]?.headers).not.toHaveProperty('webhook-signature')
  })

  it.each([
    { name: 'a server in trouble', status: 503, kind: 'again' },
    { name: 'an address that is not there yet', status: 404, kind: 'again' },
    { name: 'too many messages', status: 429, kind: 'again' },
    { name: 'a receiver that is gone for good', status: 410, kind: 'refused' },
    { name: 'a body that it cannot take', status: 400, kind: 'refused' },
    { name: 'a redirect, which is not followed', status: 307, kind: 'refused' },
  ])('meets $name: $kind', async ({ status, kind }) => {
    answer = { status, headers: { location: '/elsewhere' } }
    const outcome = await send()
    expect(outcome).toMatchObject({ kind, reason: expect.stringContaining(String(status)) })
    expect(heard).toHaveLength(1)
    expect(JSON.stringify(outcome)).not.toContain('hidden')
  })

  it.each([
    { name: 'seconds', value: () => '7', want: 7_000 },
    {
      name: 'a date',
      value: (at: Date) => new Date(at.getTime() + 60_000).toUTCString(),
      want: 60_000,
    },
    { name: 'nothing that it says', value: () => 'soon', want: null },
    { name: 'a week, cut to a day', value: () => '604800', want: 86_400_000 },
  ])('waits as long as the receiver asks for: $name', async ({ value, want }) => {
    const at = new Date('2026-11-30T12:00:00Z')
    answer = { status: 429, headers: { 'retry-after': value(at) } }
    expect(await send({ at })).toMatchObject({ kind: 'again', retryAfterMs: want })
  })

  it('that nobody answers, or not in time, is for another try and names no address', async () => {
    answer = { status: 200, hangs: true }
    expect(await send({ timeoutMs: 50 })).toEqual({
      kind: 'again',
      reason: 'no answer (too late)',
      retryAfterMs: null,
    })
    const nobody = await send({ url: 'http://127.0.0.1:1/hook?key=hidden' })
    expect(nobody).toMatchObject({ kind: 'again', reason: expect.stringContaining('no answer') })
    expect(JSON.stringify(nobody)).not.toContain('hidden')
  })

  it('that is interrupted has no outcome', async () => {
    const stop = new AbortController()
    stop.abort(new Error('shutting down'))
    const message = { id: 'm', url, secret: null, body: '{}', at: new Date(), timeoutMs: 1_000 }
    await expect(sendWebhook(message, stop.signal)).rejects.toThrow('shutting down')
  })
})
