import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals'
import { startSchedule } from '../../jobs/schedule.ts'
import { createApi } from '../../src/app/api/api.ts'
import { type ApiServer, listenApi } from '../../src/app/api/server.ts'
import { openReceipts } from '../../src/infra/postgres/forget-store.ts'
import { STEPS } from '../../src/infra/postgres/work.ts'
import { eventually } from '../support/embedded-processes.ts'
import { CLIENT_SECRET } from '../support/log-secrets.ts'
import { WHO } from '../support/small-usage.ts'
import { removeFolders, type TestState } from '../support/state.ts'
import { closeThreads, openThread, pulledState, type Thread } from '../support/thread.ts'

/** As HubSpot knows us; the proxy in between takes a path off. */
const PUBLIC_URL = 'https://ripen.acme.example/revops/'

let origin: TestState
let thread: Thread
let server: ApiServer
beforeAll(async () => {
  origin = await pulledState()
  thread = await openThread({
    origin,
    environment: {
      RIPEN_PORT: '0',
      RIPEN_PUBLIC_URL: PUBLIC_URL,
      HUBSPOT_CLIENT_SECRET: CLIENT_SECRET,
    },
  })
  await thread.score()
  await thread.sync()
  server = await listenApi(createApi(thread.app), thread.app.config)
}, 180_000)
beforeEach(async () => {
  await thread.app.context.db.deleteFrom('crm_delivery').execute()
  subscribe()
})
afterAll(async () => {
  await server.close()
  await closeThreads()
  await origin.close()
  await removeFolders()
})

const subscribe = (more: object = {}) =>
  thread.vendors.hubspot.webhooks.configure({
    targetUrl: `${server.url}/webhooks/hubspot`,
    publicUrl: `${PUBLIC_URL}webhooks/hubspot`,
    clientSecret: CLIENT_SECRET,
    ...more,
  })
const contactOf = (email: string) => {
  const records = thread.vendors.hubspot.records('contacts')
  const record = records.find(({ properties }) => properties['email'] === email)
  if (!record) throw new Error('there is no such contact')
  return record.id
}
const deliveries = () =>
  thread.app.context.db.selectFrom('crm_delivery').select(['id', 'taken_at']).execute()
const idle = async () => {
  for (const step of STEPS) await thread.app.engine.idle([step])
}

describe('POST /webhooks/hubspot', () => {
  it('takes what is signed over the public address, and lets it be read', async () => {
    const { hubspot } = thread.vendors
    hubspot.edit('contacts', contactOf(WHO.champion), { jobtitle: 'Head of Data' })
    expect(await hubspot.webhooks.flush()).toEqual([{ events: 1, status: 200 }])
    const told = await eventually(
      'the new title is a trait',
      async () => {
        const rows = await thread.app.context.db
          .selectFrom('trait')
          .select('value')
          .where('name', '=', 'job_title')
          .execute()
        return rows[0]
      },
      50_000,
    )
    expect(told).toEqual({ value: 'Head of Data' })
    await idle()
    expect((await deliveries()).map(({ taken_at }) => taken_at !== null)).toEqual([true])
  })

  it.each([
    { name: 'another secret', settings: { clientSecret: 'somebody else' } },
    {
      name: 'another address',
      settings: { publicUrl: 'https://ripen.acme.example/webhooks/hubspot' },
    },
  ])('refuses what is signed with $name, and stores nothing', async ({ name, settings }) => {
    subscribe(settings)
    const { hubspot } = thread.vendors
    hubspot.edit('contacts', contactOf(WHO.champion), { jobtitle: name })
    expect(await hubspot.webhooks.flush()).toEqual([{ events: 1, status: 401 }])
    expect(await deliveries()).toEqual([])
  })

  it('takes deliveries of other accounts and what is no JSON, and does nothing about them', async () => {
    const { hubspot } = thread.vendors
    subscribe({ portalId: 33 })
    hubspot.edit('contacts', contactOf(WHO.champion), { jobtitle: 'CTO 2' })
    expect(await hubspot.webhooks.flush()).toEqual([{ events: 1, status: 200 }])
    await eventually('it is taken', async () =>
      (await deliveries()).every(({ taken_at }) => taken_at !== null) ? true : undefined,
    )
    const traits = await thread.app.context.db.selectFrom('trait').select('value').execute()
    expect(traits).not.toContainEqual({ value: 'CTO 2' })
  })

  it('refuses unsigned and large requests in a sentence', async () => {
    const post = async (body: string) => {
      const response = await fetch(`${server.url}/webhooks/hubspot`, { method: 'POST', body })
      return [response.status, ((await response.json()) as { detail: string }).detail]
    }
    expect(await post('[]')).toEqual([401, 'the request has no signature, or no time of signing'])
    expect(await post(' '.repeat(5_000_000))).toEqual([413, 'send 4mb at most'])
  })

  it('is not there without a client secret', async () => {
    const { HUBSPOT_CLIENT_SECRET: _, ...config } = thread.app.config
    const crms = new Map(
      [...thread.app.context.crms].map(([name, { webhook: _none, ...crm }]) => [name, crm]),
    )
    const context = { ...thread.app.context, crms }
    const other = await listenApi(createApi({ ...thread.app, config, context }), config)
    const response = await fetch(`${other.url}/webhooks/hubspot`, { method: 'POST', body: '[]' })
    expect(response.status).toBe(404)
    await other.close()
  })
})

describe('a worker', () => {
  it('asks what changed by itself, and finds deliveries that nobody woke it for', async () => {
    const { db } = thread.app.context
    const { hubspot } = thread.vendors
    const first = startSchedule(thread.app.context, thread.app.engine)
    await eventually('it follows both objects', async () => {
      const rows = await db.selectFrom('crm_cursor').select(['object', 'polled_at']).execute()
      return rows.filter(({ polled_at }) => polled_at !== null).length === 2 ? true : undefined
    })
    first.stop()
    await idle()
    hubspot.edit('contacts', contactOf(WHO.champion), { jobtitle: 'Head of Research' })
    thread.setNow(new Date(thread.app.context.clock().getTime() + 60_000))
    const second = startSchedule(thread.app.context, thread.app.engine)
    await eventually(
      'the new title is a trait',
      async () => {
        const rows = await db.selectFrom('trait').select('value').execute()
        return rows.find(({ value }) => value === 'Head of Research')
      },
      50_000,
    )
    second.stop()
    await idle()
  }, 180_000)
})

describe('a privacy deletion', () => {
  it('forgets whom HubSpot deleted for good, with a receipt', async () => {
    const { db } = thread.app.context
    const { hubspot } = thread.vendors
    hubspot.erase(contactOf(WHO.champion))
    await hubspot.webhooks.flush({ shuffle: 1, repeat: 1 })
    await eventually(
      'the person is forgotten',
      async () => {
        const known = await db
          .selectFrom('identity_node')
          .select('node')
          .where('node', '=', `email/${WHO.champion}`)
          .executeTakeFirst()
        return known === undefined
      },
      100_000,
    )
    await idle()
    expect(await openReceipts(db)).toEqual([])
    const receipts = await db.selectFrom('forget_receipt').select('removed').execute()
    expect(receipts).toHaveLength(1)
    // Not even what told us names her any more, and nobody makes her contact again.
    const left = await db.selectFrom('crm_delivery').select('body').execute()
    expect(JSON.stringify(left)).not.toContain(WHO.champion)
    const emails = hubspot.records('contacts').map(({ properties }) => properties['email'])
    expect(emails).not.toContain(WHO.champion)
  }, 180_000)
})
