import { appendFileSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals'
import {
  type RunningHubspotSandbox,
  startHubspotSandbox,
} from '../../sandbox/hubspot/start-hubspot-sandbox.ts'

const TASKS = '/crm/v3/objects/tasks'
const AT = Date.parse('2026-11-20T10:00:00.000Z')

let clock = AT
let hubspot: RunningHubspotSandbox

beforeEach(async () => {
  clock = AT
  hubspot = await startHubspotSandbox({ now: () => clock })
})

afterEach(async () => {
  await hubspot.close()
})

describe('what is kept on disk', () => {
  let dataDir: string

  beforeEach(() => {
    dataDir = mkdtempSync(join(tmpdir(), 'hubspot-sandbox-'))
  })

  afterEach(() => {
    rmSync(dataDir, { recursive: true, force: true })
  })

  const start = () => startHubspotSandbox({ dataDir, now: () => clock })
  const journal = () => join(dataDir, 'hubspot-journal.jsonl')

  async function fill(running: RunningHubspotSandbox): Promise<void> {
    await running.call('POST', '/crm/v3/properties/contacts', {
      name: 'pql_score',
      label: 'Score',
      type: 'number',
      fieldType: 'number',
      groupName: 'contactinformation',
    })
    const ids = running.sandbox.seed({
      contacts: [
        { email: 'a@acme.io', pql_score: '1' },
        { email: 'b@acme.io' },
        { email: 'c@acme.io' },
      ],
      companies: [{ domain: 'acme.io' }],
      owners: [{ email: 'new@sales.example' }],
      employments: [{ contact: 0, company: 0 }],
    })
    clock += 1000
    await running.call('PATCH', `/crm/v3/objects/contacts/${ids.contacts[0]}`, {
      properties: { pql_score: '2' },
    })
    running.sandbox.merge('contacts', ids.contacts[0] ?? '', ids.contacts[1] ?? '')
    running.sandbox.archive('contacts', ids.contacts[2] ?? '')
  }

  const everything = ({ sandbox }: RunningHubspotSandbox) => ({
    contacts: sandbox.records('contacts'),
    companies: sandbox.records('companies'),
    associations: new Set(sandbox.associations().map((item) => JSON.stringify(item))),
  })

  it('is there again, with history, merges and ids, also after a second start', async () => {
    const first = await start()
    await fill(first)
    const before = everything(first)
    for (let round = 0; round < 2; round++) {
      const again = await start()
      const after = everything(again)
      const old = await again.call('GET', '/crm/v3/objects/contacts/1000002')
      const made = await again.call('GET', '/crm/v3/properties/contacts/pql_score')
      const owner = await again.call('GET', '/crm/v3/owners?email=new@sales.example')
      await again.close()
      expect(after).toEqual(before)
      expect([old.json?.['id'], made.status]).toEqual(['1000004', 200])
      expect(owner.json?.['results']).toHaveLength(1)
    }
    const last = await start()
    const { json } = await last.call('POST', '/crm/v3/objects/contacts', { properties: {} })
    await Promise.all([first.close(), last.close()])
    expect(json?.['id']).toBe('1000005')
  })

  it('holds a write before it is answered', async () => {
    const first = await start()
    await first.call('POST', '/crm/v3/objects/contacts', { properties: { email: 'kept@acme.io' } })
    expect(readFileSync(journal(), 'utf8')).toContain('kept@acme.io')
    const second = await start()
    const { status } = await second.call('POST', '/crm/v3/objects/contacts', {
      properties: { email: 'kept@acme.io' },
    })
    await Promise.all([first.close(), second.close()])
    expect(status).toBe(409)
  })

  it('survives a torn last line', async () => {
    const first = await start()
    await fill(first)
    const before = everything(first)
    await first.close()
    appendFileSync(journal(), '{"at":1,"changes":[{"op":"write","object":"contac')
    const second = await start()
    const after = everything(second)
    await second.call('POST', '/crm/v3/objects/contacts', {
      properties: { email: 'later@acme.io' },
    })
    await second.close()
    const third = await start()
    const emails = third.sandbox.records('contacts').map(({ properties }) => properties['email'])
    await third.close()
    expect(after).toEqual(before)
    expect(emails).toContain('later@acme.io')
  })
})

describe('pages', () => {
  const page = async (path: string) => {
    const response = await fetch(`${hubspot.baseUrl}${path}`)
    return { status: response.status, text: await response.text(), headers: response.headers }
  }

  it('show records, escaped and searchable, without a token', async () => {
    await hubspot.call('POST', '/crm/v3/properties/contacts', {
      name: 'pql_reason',
      label: 'Why now',
      type: 'string',
      fieldType: 'textarea',
      groupName: 'contactinformation',
    })
    const contacts = [
      { email: 'a@acme.io', pql_reason: '<script>alert(1)</script>' },
      { email: 'b@other.io', pql_reason: 'Grew' },
    ]
    hubspot.sandbox.seed({ contacts })
    const all = await page('/')
    const found = await page('/?object=contacts&q=OTHER')
    expect(all.text).toContain('Why now')
    expect(all.text).toContain('&lt;script&gt;alert(1)&lt;/script&gt;')
    expect(all.text).not.toContain('<script>')
    expect(all.text).not.toMatch(/(src|href)="(https?:)?\/\//)
    expect(all.headers.get('content-security-policy')).toContain("default-src 'none'")
    expect(found.text).toContain('b@other.io')
    expect(found.text).not.toContain('a@acme.io')
  })

  it('sort, and hold 50 records each', async () => {
    hubspot.sandbox.seed({
      contacts: Array.from({ length: 51 }, (_, i) => ({
        email: `u${String(i).padStart(2, '0')}@acme.io`,
      })),
    })
    const emails = async (path: string) => [
      ...new Set((await page(path)).text.match(/u\d\d@acme\.io/g)),
    ]
    expect(await emails('/?sort=email&dir=desc')).toHaveLength(50)
    expect(await emails('/?sort=email&dir=desc&page=2')).toEqual(['u00@acme.io'])
  })

  it('show the text of a task and whom it is about', async () => {
    const { contacts } = hubspot.sandbox.seed({ contacts: [{ email: 'a@acme.io' }] })
    await hubspot.call('POST', TASKS, {
      properties: {
        hs_timestamp: String(AT),
        hs_task_subject: 'Call',
        hs_task_body: '<p>Usage &amp; seats</p><p>grew</p>',
      },
      associations: [
        {
          to: { id: contacts[0] },
          types: [{ associationCategory: 'HUBSPOT_DEFINED', associationTypeId: 204 }],
        },
      ],
    })
    const { text } = await page('/?object=tasks')
    expect(text).toContain('Usage &amp; seats\ngrew')
    expect(text).toContain(`<a href="/records/contacts/${contacts[0]}">a@acme.io</a>`)
  })

  it('tell the history of a record', async () => {
    const [id] = hubspot.sandbox.seed({ contacts: [{ firstname: 'Ada' }] }).contacts
    clock += 60_000
    await hubspot.call('PATCH', `/crm/v3/objects/contacts/${id}`, {
      properties: { firstname: 'Adele' },
    })
    const { text } = await page(`/records/contacts/${id}`)
    expect(text).toMatch(
      /2026-11-20 10:01:00[\s\S]*<td class="old">Ada<\/td><td class="text">Adele<\/td>/,
    )
    expect((await page('/records/contacts/1')).status).toBe(404)
  })

  it('come as JSON too', async () => {
    hubspot.sandbox.seed({ contacts: [{ email: 'a@acme.io' }] })
    await hubspot.call('GET', '/crm/v3/owners')
    const state = JSON.parse((await page('/_sandbox/state.json')).text) as Record<string, unknown>
    const calls = JSON.parse((await page('/_sandbox/calls.json')).text) as Record<string, unknown>
    expect(state).toMatchObject({
      counts: { contacts: 1 },
      contacts: [{ properties: { email: 'a@acme.io' } }],
    })
    expect(calls).toMatchObject({ total: 1, calls: [{ route: '/crm/v3/owners' }] })
  })
})
