import { afterEach, describe, expect, it } from '@jest/globals'
import express from 'express'
import { type Listening, listen } from '../../sandbox/listen.ts'
import { createMixpanelSandbox } from '../../sandbox/mixpanel/mixpanel-sandbox.ts'

let server: Listening | null = null
afterEach(async () => {
  await server?.close()
  server = null
})

const PROFILES = [
  { distinctId: 'ann', properties: { $email: 'ann@acme.com' } },
  { distinctId: 'bob', properties: {} },
  { distinctId: 'cy', properties: {} },
  { distinctId: 'acme', properties: { plan: 'pro' }, dataGroupId: '7' },
]
interface Page {
  readonly session_id: string
  readonly results: readonly { readonly $distinct_id: string }[]
}
const LINE = { event: 'Login', properties: { time: 1_788_256_800, distinct_id: 'anon' } }

async function start() {
  const sandbox = createMixpanelSandbox({
    projectId: '88',
    serviceAccount: 'robot',
    secret: 'secret',
    events: new Map([['2026-09-01', [JSON.stringify(LINE)]]]),
    profiles: PROFILES,
    profilesPerPage: 2,
    ratePerHour: 4,
    ratePerSecond: 100,
    now: () => new Date('2026-09-03T00:00:00Z'),
  })
  const listening = await listen(express().use(sandbox.router))
  server = listening
  const headers = { authorization: `Basic ${btoa('robot:secret')}` }
  const engage = async (form: Record<string, string>, project = '88') => {
    const url = `${listening.baseUrl}/api/query/engage?project_id=${project}`
    const response = await fetch(url, { method: 'POST', headers, body: new URLSearchParams(form) })
    return { status: response.status, body: (await response.json()) as Page }
  }
  const day = async () => {
    const query = 'project_id=88&from_date=2026-09-01&to_date=2026-09-01'
    const response = await fetch(`${listening.baseUrl}/api/2.0/export?${query}`, { headers })
    return (JSON.parse(await response.text()) as { properties: unknown }).properties
  }
  return { sandbox, engage, day }
}

const idsOf = (body: Page) => body.results.map(({ $distinct_id }) => $distinct_id)

describe('profiles of the stand-in for Mixpanel', () => {
  it('come in pages of what was there when the first was asked for', async () => {
    const { engage, sandbox } = await start()
    const { body: first } = await engage({})
    expect(first).toMatchObject({ page: 0, page_size: 2, total: 3, status: 'ok' })
    expect(idsOf(first)).toEqual(['ann', 'bob'])
    sandbox.setProfiles([])
    const { body: second } = await engage({ page: '1', session_id: first.session_id })
    expect(idsOf(second)).toEqual(['cy'])
  })

  it('of a group are asked for by its data group', async () => {
    const { engage } = await start()
    expect(idsOf((await engage({ data_group_id: '7' })).body)).toEqual(['acme'])
  })

  it('are refused without a session, in one that has expired, and of another project', async () => {
    const { engage, sandbox } = await start()
    expect((await engage({ page: '1' })).status).toBe(400)
    const { body } = await engage({})
    sandbox.expireSessions()
    expect((await engage({ page: '1', session_id: body.session_id })).status).toBe(400)
    expect((await engage({}, '89')).status).toBe(403)
  })

  it('have an allowance of their own', async () => {
    const { engage, day } = await start()
    for (let i = 0; i < 4; i++) expect((await engage({})).status).toBe(200)
    expect((await engage({})).status).toBe(429)
    expect(await day()).toMatchObject({ distinct_id: 'anon' })
  })
})

describe('a merge in the stand-in for Mixpanel', () => {
  it('rewrites the id of old rows and tells the one before', async () => {
    const { sandbox, day } = await start()
    sandbox.merge('anon', 'ann')
    expect(await day()).toMatchObject({
      distinct_id: 'ann',
      $distinct_id_before_identity: 'anon',
    })
  })
})
