import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import { createApi } from '../../src/app/api/api.ts'
import type { App } from '../../src/app/compose.ts'
import {
  ConfigError,
  RateLimitedError,
  RecordRejectedError,
  RetryableError,
} from '../../src/core/errors.ts'
import { createMetrics } from '../../src/infra/metrics.ts'
import type { RecordState } from '../../src/infra/postgres/crm-record-store.ts'
import type { Db } from '../../src/infra/postgres/database.ts'
import { STEPS } from '../../src/infra/postgres/work.ts'
import { codeSpans, readPage, section, tableRows } from '../support/doc-pages.ts'

const OBJECTIVE = { share: 0.95, withinSeconds: 900, overHours: 24 }

const firstSpans = (rows: readonly string[][]): string[] =>
  rows.flatMap(([cell]) => codeSpans(cell ?? ''))

describe('docs/operations.md', () => {
  it('explains each of the four kinds of failure', async () => {
    const kinds = [
      new RetryableError(''),
      new RateLimitedError('', 0),
      new RecordRejectedError(''),
      new ConfigError(''),
    ].map((error) => error.kind)
    const page = await readPage('docs/operations.md')
    expect(firstSpans(tableRows(page, 'kind')).sort()).toEqual([...kinds].sort())
  })

  it('explains each state of a record', async () => {
    // A new state does not compile until it stands here.
    const states: Readonly<Record<RecordState, true>> = {
      pending: true,
      writing: true,
      'in-sync': true,
      parked: true,
      unlinked: true,
    }
    const page = await readPage('docs/operations.md')
    expect(firstSpans(tableRows(page, 'state')).sort()).toEqual(Object.keys(states).sort())
  })

  it('names every metric, and ours with their type and labels', async () => {
    const { registry } = createMetrics({} as Db, OBJECTIVE, () => new Set())
    const metrics = section(await readPage('docs/operations.md'), '## Metrics')
    const named = codeSpans(metrics)
    const all = registry.getMetricsAsArray() as unknown as {
      name: string
      type: string
      labelNames: string[]
    }[]
    expect(all.map(({ name }) => name).filter((name) => !named.includes(name))).toEqual([])
    const told = tableRows(metrics, 'metric').map(([name, type, labels]) => ({
      name: codeSpans(name ?? '')[0],
      type,
      labels: codeSpans(labels ?? ''),
    }))
    const ours = all
      .filter(({ name }) => name.startsWith('ripen_'))
      .map(({ name, type, labelNames }) => ({ name, type, labels: [...labelNames] }))
    const byName = (a: { name?: string | undefined }, b: { name?: string | undefined }) =>
      (a.name ?? '') < (b.name ?? '') ? -1 : 1
    expect(told.sort(byName)).toEqual(ours.sort(byName))
  })
})

describe('docs/architecture.md', () => {
  it('lists the steps in their order', async () => {
    const page = await readPage('docs/architecture.md')
    expect(tableRows(page, 'step').map(([name]) => name)).toEqual([...STEPS])
  })
})

describe('the HTTP API in the README', () => {
  const token = 'a token of a test, long enough'
  const context = { crms: new Map([['hubspot', {}]]) }
  const api = createApi({ config: { RIPEN_API_TOKEN: token }, context } as unknown as App)
  let server: Server

  beforeAll(async () => {
    server = createServer(api)
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  })
  afterAll(async () => {
    server.closeAllConnections()
    await new Promise((resolve) => server.close(resolve))
  })

  const requests = async () =>
    tableRows(section(await readPage('README.md'), '## HTTP API'), 'request').map(
      ([request, , guarded]) => ({ request: codeSpans(request ?? '')[0] ?? '', guarded }),
    )

  it('lists every route', async () => {
    const { stack } = api.router as unknown as {
      stack: { route?: { path: string; methods: Record<string, boolean> } }[]
    }
    const routes = stack.flatMap(({ route }) =>
      route
        ? Object.keys(route.methods).map((method) => `${method.toUpperCase()} ${route.path}`)
        : [],
    )
    expect((await requests()).map(({ request }) => request).sort()).toEqual(routes.sort())
  })

  it('says which routes ask for the token', async () => {
    const { port } = server.address() as AddressInfo
    for (const { request, guarded } of await requests()) {
      const [method = '', path = ''] = request.split(' ')
      if (path === '/readyz') continue // It asks the database, which is not here.
      const { status } = await fetch(`http://127.0.0.1:${port}${path}`, { method })
      // A webhook has a secret of its own, and is not there without it.
      const wanted = { yes: 401, no: 200, own: 404 }[guarded ?? '']
      expect({ request, status }).toEqual({ request, status: wanted })
    }
  })
})
