import { createServer, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { Client } from '@hubspot/api-client'
import { afterEach, describe, expect, it } from '@jest/globals'
import { describeCrmContract } from './crm-contract.ts'
import { lookup, newContact } from './crm-contract-examples.ts'
import { failureOf } from './crm-contract-failures.ts'
import { noSignal } from './crm-contract-subject.ts'
import {
  closeAccounts,
  connectHubspot,
  openAccount,
  startHubspotSubject,
} from './hubspot-subject.ts'

describeCrmContract('HubSpot', () => startHubspotSubject())
describeCrmContract('HubSpot by a dated version', () =>
  startHubspotSubject({}, { apiVersion: '2026-03' }),
)

afterEach(closeAccounts)

describe('a dated version of the API', () => {
  it('is called for everything that the client would call by number', async () => {
    const { subject, sandbox } = await openAccount()
    const crm = connectHubspot(subject.baseUrl, { apiVersion: '2026-03' })
    const companyId = subject.seed('company', { domain: 'acme.example' })
    await crm.provision(subject.plan('contact'), noSignal())
    const [written] = await crm.write('contact', [newContact(subject, 'p-1')], noSignal())
    const contactId = written?.kind === 'written' ? written.crmId : ''
    await crm.associate([{ contactId, companyId }], noSignal())
    await crm.find('contact', [lookup('p-2', ['b@acme.example'])], noSignal())
    await crm.owners(noSignal())
    const needs = { object: 'contact', plan: subject.plan('contact'), alsoWritten: [], read: [] }
    await crm.inspect({ objects: [{ ...needs, object: 'contact' }], tasks: true }, noSignal())
    const paths = sandbox.calls().map(({ path }) => path)
    const dated = /^(\/crm\/[a-z-]+|\/account-info)\/2026-03\//
    const others = paths.filter((path) => !dated.test(`${path}/`))
    expect(paths.length).toBeGreaterThan(12)
    // What tells of a token has one address, whatever the version of the API.
    expect(others).toEqual(['/oauth/v2/private-apps/get/access-token-info'])
    const failed = sandbox.calls().filter(({ status }) => status >= 300)
    expect(failed.map(({ path }) => path)).toEqual(others)
  })
})

/** A server that does what a test needs; `disconnected` is the end of its first connection. */
async function startServer(answer: (response: ServerResponse) => void) {
  let connections = 0
  let onDisconnect = () => {}
  const disconnected = new Promise<void>((resolve) => {
    onDisconnect = resolve
  })
  const server = createServer((_, response) => answer(response))
  server.on('connection', (socket) => {
    connections += 1
    socket.once('close', onDisconnect)
  })
  await new Promise<void>((ready) => server.listen(0, '127.0.0.1', ready))
  const { port } = server.address() as AddressInfo
  return {
    baseUrl: `http://127.0.0.1:${port}`,
    connections: () => connections,
    disconnected,
    close: () => {
      const closed = new Promise((done) => server.close(done))
      server.closeAllConnections()
      return closed
    },
  }
}

describe('the connection', () => {
  it('is broken at the deadline, so that nothing arrives later', async () => {
    const server = await startServer(() => {})
    const crm = connectHubspot(server.baseUrl, { timeoutMs: 100 })
    const error = await failureOf(crm.check(noSignal()))
    expect(error.message).toContain('DeadlineExceeded')
    await server.disconnected
    await server.close()
  })

  it('is broken when the caller gives up', async () => {
    const controller = new AbortController()
    const server = await startServer(() => controller.abort())
    const error = await failureOf(connectHubspot(server.baseUrl).check(controller.signal))
    expect(error.message).toContain('Stopped')
    await server.disconnected
    await server.close()
  })

  it('is kept for the next call', async () => {
    const server = await startServer((response) =>
      response.setHeader('content-type', 'application/json').end('{"results":[]}'),
    )
    const crm = connectHubspot(server.baseUrl)
    for (let i = 0; i < 3; i += 1) await crm.check(noSignal())
    expect(server.connections()).toBe(1)
    await server.close()
  })

  it('is not changed by clients that others build in the same process', async () => {
    const { subject, sandbox } = await openAccount()
    const retrying = { numberOfApiCallRetries: 3, limiterOptions: { maxConcurrent: 1 } }
    new Client({ accessToken: 'before', ...retrying })
    const first = connectHubspot(subject.baseUrl)
    const second = connectHubspot(subject.baseUrl, { accessToken: 'wrong-token' })
    new Client({ accessToken: 'after', ...retrying })
    sandbox.faults.push({ path: /owners/, status: 503, times: 2, body: { status: 'error' } })
    expect((await failureOf(first.check(noSignal()))).kind).toBe('retryable')
    expect((await failureOf(first.check(noSignal()))).kind).toBe('retryable')
    expect(sandbox.calls()).toHaveLength(2)
    const [right, wrong] = await Promise.allSettled([
      first.check(noSignal()),
      second.check(noSignal()),
    ])
    expect([right.status, wrong.status]).toEqual(['fulfilled', 'rejected'])
  })

  it.each([
    { name: 'an address that is none', baseUrl: 'api.hubapi.com', names: 'HUBSPOT_BASE_URL' },
    { name: 'a token with a line break', accessToken: 'abc\ndef', names: 'HUBSPOT_ACCESS_TOKEN' },
    { name: 'an empty token', accessToken: '', names: 'HUBSPOT_ACCESS_TOKEN' },
  ])(
    '$name is refused before any call',
    ({ names, baseUrl = 'http://127.0.0.1:1', ...options }) => {
      expect(() => connectHubspot(baseUrl, options)).toThrow(names)
    },
  )
})
