import { afterEach, describe, expect, it } from '@jest/globals'
import type { SandboxProfile } from '../../sandbox/mixpanel/engage-query.ts'
import { ConfigError, RetryableError } from '../../src/core/errors.ts'
import type { ProfileCursor } from '../../src/core/ports/usage-source.ts'
import { type MixpanelSubject, never, openMixpanel } from '../support/mixpanel-source.ts'

let open: MixpanelSubject | null = null
afterEach(async () => {
  await open?.close()
  open = null
})

const NOW = new Date('2026-09-10T08:00:00Z')
const person = (n: number): SandboxProfile => ({
  distinctId: `user-${n}`,
  properties: { $email: `user-${n}@acme.com`, plan: 'trial', $last_seen: '2026-09-09T10:00:00' },
})
const COMPANY: SandboxProfile = {
  distinctId: 'acme',
  dataGroupId: '1234',
  properties: { $name: 'Acme', plan: 'enterprise' },
}

async function start(profiles: readonly SandboxProfile[], groups = {}) {
  open = await openMixpanel({
    now: NOW,
    sandbox: { events: new Map(), profiles, profilesPerPage: 2 },
    source: { profilesEveryMs: 86_400_000, groups },
  })
  const { source, dir, read, sandbox } = open
  const pages = source.profiles
  if (!pages) throw new Error('no profiles')
  const page = (set = 'people', cursor: ProfileCursor | null = null) =>
    pages.page(set, cursor, dir, NOW, never)
  return { page, read, sandbox, sets: pages.sets }
}

const failureOf = (work: Promise<unknown>) =>
  work.then(
    () => null,
    (error: unknown) => error,
  )

describe('profiles of Mixpanel', () => {
  it('come page by page of one session, each in a window of its own', async () => {
    const { page, read } = await start([1, 2, 3, 4, 5].map(person))
    const seen: [string, unknown[]][] = []
    let cursor: ProfileCursor | null = null
    do {
      const got = await page('people', cursor)
      if (!got) throw new Error('the session is gone')
      const rows = await read([got.batch])
      seen.push([got.windowKey, rows.map((row) => row['user_id']).sort()])
      cursor = got.next
    } while (cursor)
    expect(seen).toEqual([
      ['profiles/00000', ['user-1', 'user-2']],
      ['profiles/00001', ['user-3', 'user-4']],
      ['profiles/00002', ['user-5']],
    ])
  })

  it('end with the last one, though its page is full', async () => {
    const { page } = await start([1, 2].map(person))
    expect(await page()).toMatchObject({ total: 2, next: null })
  })

  it('may be none', async () => {
    const { page, read } = await start([])
    const got = await page()
    expect(got).toMatchObject({ total: 0, next: null })
    expect(await read([got?.batch ?? []])).toEqual([])
  })

  it('are no events: they say who somebody is, by the last time that was said', async () => {
    const { page, read } = await start([person(1)])
    const got = await page()
    const [row] = await read([got?.batch ?? []])
    expect(row).toMatchObject({
      window_key: 'profiles/00000',
      name: '$profile',
      occurred_at: new Date('2026-09-09T10:00:00Z'),
      user_id: 'user-1',
      alias_id: 'user-1',
      device_id: null,
      event_properties: null,
    })
    expect(JSON.parse(String(row?.['user_properties']))).toMatchObject({ plan: 'trial' })
  })

  it.each([
    { id: '$device:x1', want: [null, 'x1', null] },
    { id: 'ann', want: ['ann', null, 'ann'] },
    {
      id: '0b5f0c3a-6b7e-4f4e-9a35-0f6a1d2c3b4e',
      want: [
        '0b5f0c3a-6b7e-4f4e-9a35-0f6a1d2c3b4e',
        '0b5f0c3a-6b7e-4f4e-9a35-0f6a1d2c3b4e',
        '0b5f0c3a-6b7e-4f4e-9a35-0f6a1d2c3b4e',
      ],
    },
  ])('of $id name whom events may name by it', async ({ id, want }) => {
    const { page, read } = await start([{ distinctId: id, properties: {} }])
    const [row] = await read([(await page())?.batch ?? []])
    expect([row?.['user_id'], row?.['device_id'], row?.['alias_id']]).toEqual(want)
    // Nothing says when this was said: the day on which it was fetched.
    expect(row?.['occurred_at']).toEqual(new Date('2026-09-10T00:00:00Z'))
  })

  it('of groups name nobody, and carry their key where events carry it', async () => {
    const { page, read, sets } = await start([person(1), COMPANY], { company: '1234' })
    expect(sets).toEqual(['people', 'company'])
    const rows = await read([(await page('company'))?.batch ?? []])
    expect(rows).toMatchObject([
      { window_key: 'groups/company/00000', name: '$group_profile', user_id: null, alias_id: null },
    ])
    expect(JSON.parse(String(rows[0]?.['event_properties']))).toEqual({
      company: 'acme',
      $name: 'Acme',
      plan: 'enterprise',
    })
    const people = await read([(await page('people'))?.batch ?? []])
    expect(people.map((row) => row['user_id'])).toEqual(['user-1'])
  })
})

describe('profiles that cannot be had', () => {
  it('for a session that has expired are asked for from the start', async () => {
    const { page, sandbox } = await start([1, 2, 3].map(person))
    const first = await page()
    sandbox.expireSessions()
    expect(await page('people', first?.next ?? null)).toBeNull()
  })

  it.each([
    { name: 'the body breaks off', fault: { kind: 'half-body' } as const },
    { name: 'the body is cut short', fault: { kind: 'gzip-cut-short' } as const },
    { name: 'the connection is reset', fault: { kind: 'reset' } as const },
  ])('because $name are fetched again', async ({ fault }) => {
    const { page, sandbox } = await start([1, 2, 3].map(person))
    sandbox.faults.add(fault)
    expect(await failureOf(page())).toBeInstanceOf(RetryableError)
    expect(await page()).toMatchObject({ total: 3 })
  })

  it.each([{ status: 400 }, { status: 403 }, { status: 404 }])(
    'by $status say how to go on without them',
    async ({ status }) => {
      const { page, sandbox } = await start([])
      sandbox.faults.add({ kind: 'status', status, body: 'no' })
      const failure = await failureOf(page())
      expect(failure).toBeInstanceOf(ConfigError)
      expect(String(failure)).toContain(
        status === 400 ? 'MIXPANEL_GROUPS' : 'MIXPANEL_PROFILES_HOURS',
      )
    },
  )
})
