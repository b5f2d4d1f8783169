import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { gunzipSync } from 'node:zlib'
import { beforeAll, describe, expect, it } from '@jest/globals'
import yauzl from 'yauzl'
import { writeCompanyFiles } from '../../sandbox/company/company-files.ts'
import { type SampleCompany, sampleCompany } from '../../sandbox/company/sample-company.ts'

const DAY = 86_400_000
const END = new Date('2026-09-01T00:00:00Z')

interface Did {
  readonly tool: 'amplitude' | 'mixpanel'
  readonly id: string
  readonly name: string
  readonly at: number
  readonly arrived: number
  readonly email: string | undefined
  readonly user: string | undefined
  readonly device: string
  readonly props: Readonly<Record<string, unknown>>
}

const utc = (wire: string) => Date.parse(`${wire.replace(' ', 'T').slice(0, 23)}Z`)

function readAmplitude(line: string): Did {
  const row = JSON.parse(line)
  return {
    tool: 'amplitude',
    id: row.uuid,
    name: row.event_type,
    at: utc(row.event_time),
    arrived: utc(row.server_upload_time),
    email: row.user_properties.email,
    user: row.user_id ?? undefined,
    device: row.device_id,
    props: row.event_properties,
  }
}

function readMixpanel(line: string): Did {
  const { event, properties } = JSON.parse(line)
  return {
    tool: 'mixpanel',
    id: properties.$insert_id,
    name: event,
    at: properties.time * 1000,
    arrived: properties.mp_processing_time_ms,
    email: properties.email,
    user: properties.$user_id,
    device: properties.$device_id,
    props: properties,
  }
}

/** What each address did, with what its devices did before they were known. */
function byPerson(company: SampleCompany): Map<string, Did[]> {
  const { amplitude, mixpanel } = company
  const all = new Map<string, Did>()
  const keep = (did: Did) => all.set(did.tool + did.id, did)
  for (const key of amplitude.keys()) amplitude.get(key)?.map(readAmplitude).forEach(keep)
  for (const key of mixpanel.keys()) mixpanel.get(key)?.map(readMixpanel).forEach(keep)
  const owners = new Map<string, string>()
  for (const { device, email } of all.values()) if (email !== undefined) owners.set(device, email)
  const people = new Map<string, Did[]>()
  for (const did of all.values()) {
    const email = did.email ?? owners.get(did.device)
    if (email === undefined) continue
    const deeds = people.get(email) ?? []
    deeds.push(did)
    people.set(email, deeds)
  }
  return people
}

/** The points of the last 30 days. */
function points(deeds: readonly Did[]): number {
  const recent = deeds.filter(({ at }) => at >= +END - 30 * DAY)
  const count = (test: (did: Did) => boolean) => recent.filter(test).length
  const once = (test: (did: Did) => boolean, worth: number) => (count(test) > 0 ? worth : 0)
  return (
    once(({ name }) => name === 'Activation Reached', 30) +
    Math.min(40, 20 * count(({ name }) => name === 'invite_sent')) +
    once(({ name }) => name === 'API Key Created', 15) +
    once(({ props }) => props['path'] === '/pricing', 10) +
    once(({ props }) => Number(props['percent_used'] ?? 0) >= 80, 10)
  )
}

const isUse = ({ name }: Did) => !name.startsWith('$') && !/session/i.test(name)
const since = (deeds: readonly Did[], days: number) =>
  deeds.filter((did) => isUse(did) && did.at >= +END - days * DAY)

let company: SampleCompany
let people: Map<string, Did[]>
beforeAll(() => {
  company = sampleCompany({ end: END })
  people = byPerson(company)
})
const deedsOf = (email: string) => people.get(email) ?? []
const names = (email: string) => deedsOf(email).map(({ name }) => name)

describe('readiness in the sample company', () => {
  it('is rare among people: most show one signal or none', () => {
    const scores = [...people.values()].map(points)
    const share = (least: number) => scores.filter((score) => score >= least).length / scores.length
    expect(share(50)).toBeGreaterThan(0.015)
    expect(share(40)).toBeLessThan(0.07)
    expect(share(1)).toBeLessThan(0.35)
  })

  it('is rare among companies: three active people and one of them ready', () => {
    const active = new Map<string, number>()
    const ready = new Set<string>()
    for (const { email, company: employer } of company.directory) {
      if (employer === null) continue
      const deeds = deedsOf(email)
      if (since(deeds, 30).length > 0) {
        active.set(employer.domain, (active.get(employer.domain) ?? 0) + 1)
      }
      if (points(deeds) >= 50) ready.add(employer.domain)
    }
    const hot = [...ready].filter((domain) => (active.get(domain) ?? 0) >= 3)
    expect(hot.length / company.totals.companies).toBeGreaterThanOrEqual(0.03)
    expect(hot.length / company.totals.companies).toBeLessThanOrEqual(0.05)
    const { team, freshTeams, expansion } = company.stories
    for (const story of [team, ...freshTeams, expansion]) expect(hot).toContain(story.domain)
  })

  it('is new on the last day only where a story says so', () => {
    const newly = [...people].filter(([, deeds]) => {
      const before = deeds.filter(({ at }) => at < +END - DAY)
      return points(deeds) >= 50 && points(before) < 50
    })
    const { team, freshTeams } = company.stories
    const want = [team, ...freshTeams].map(({ champion }) => champion)
    expect(newly.map(([email]) => email).sort()).toEqual(want.sort())
  })
})

describe('the stories of the sample company', () => {
  it('lets three teams form within the last day, all arrived before its end', () => {
    const { team, freshTeams } = company.stories
    expect(team.members).toHaveLength(5)
    expect(points(deedsOf(team.champion))).toBeGreaterThanOrEqual(70)
    for (const { champion, members } of [team, ...freshTeams]) {
      expect(members).toContain(champion)
      expect(points(deedsOf(champion))).toBeGreaterThanOrEqual(50)
      const deeds = members.flatMap(deedsOf)
      expect(Math.min(...deeds.map(({ at }) => at))).toBeGreaterThanOrEqual(+END - DAY)
      expect(Math.max(...deeds.map(({ arrived }) => arrived))).toBeLessThan(+END)
      expect(members.filter((member) => names(member).includes('invite_accepted'))).toHaveLength(2)
      for (const member of members) expect(since(deedsOf(member), 1).length).toBeGreaterThan(5)
    }
  })

  it('lets every event of a story arrive before the end', () => {
    const { team, freshTeams, expansion, ...solos } = company.stories
    const cast = [team, ...freshTeams, expansion].flatMap(({ members }) => [...members])
    for (const email of [...cast, ...Object.values(solos).map((solo) => solo.email)]) {
      expect(deedsOf(email).length).toBeGreaterThan(0)
      expect(deedsOf(email).filter(({ arrived }) => arrived >= +END)).toEqual([])
    }
  })

  it('has a loner and a student who use it daily, and nobody beside them', () => {
    for (const { email, domain } of [company.stories.loner, company.stories.student]) {
      const days = new Set(since(deedsOf(email), 20).map(({ at }) => Math.floor(at / DAY)))
      expect(days.size).toBeGreaterThanOrEqual(15)
      expect(points(deedsOf(email))).toBe(55)
      expect(names(email)).not.toContain('invite_sent')
      expect([...people.keys()].filter((other) => other.endsWith(`@${domain}`))).toEqual([email])
    }
  })

  it('has somebody at 95 % of the seats, and nothing more', () => {
    const deeds = deedsOf(company.stories.limit.email)
    expect(Math.max(...deeds.map(({ props }) => Number(props['percent_used'] ?? 0)))).toBe(95)
    expect(points(deeds)).toBe(10)
  })

  it('has somebody very active until 50 days ago', () => {
    const deeds = deedsOf(company.stories.lapsed.email)
    expect(deeds.length).toBeGreaterThan(500)
    const last = Math.max(...deeds.map(({ at }) => at))
    expect(last).toBeLessThan(+END - 50 * DAY + 1)
    expect(last).toBeGreaterThan(+END - 53 * DAY)
  })

  it('has a paying customer that grows', () => {
    const { champion, members } = company.stories.expansion
    expect(members).toHaveLength(7)
    expect(points(deedsOf(champion))).toBeGreaterThanOrEqual(50)
    const joined = members.filter((member) => names(member).includes('invite_accepted'))
    expect(joined).toHaveLength(3)
    for (const member of members) expect(since(deedsOf(member), 30).length).toBeGreaterThan(10)
  })

  it('links the pricing page to a person by the device alone', () => {
    const { email, mixpanelDeviceId, amplitudeDeviceId } = company.stories.anonymousFirst
    const deeds = deedsOf(email)
    const pricing = deeds.filter(({ props }) => props['path'] === '/pricing')
    expect(pricing).toMatchObject([{ email: undefined, device: mixpanelDeviceId }])
    expect(points(deeds)).toBeGreaterThanOrEqual(50)
    expect(points(deeds.filter((did) => did.email !== undefined))).toBeLessThan(50)
    for (const device of [mixpanelDeviceId, amplitudeDeviceId]) {
      const users = deeds.filter((did) => did.device === device).map(({ user }) => user)
      expect(new Set(users)).toContain(undefined)
      expect(new Set(users).size).toBe(2)
    }
  })

  it('has somebody in both tools under ids of their own', () => {
    const { email, amplitudeUserId, mixpanelUserId } = company.stories.bothTools
    const users = deedsOf(email).map(({ tool, user }) => `${tool} ${user}`)
    expect(new Set(users)).toEqual(
      new Set([`amplitude ${amplitudeUserId}`, `mixpanel ${mixpanelUserId}`]),
    )
  })
})

describe('the files of the sample company', () => {
  it('are an Amplitude zip and Mixpanel lines that hold every row', async () => {
    const dir = await mkdtemp(join(tmpdir(), 'sample-company-'))
    try {
      const small = sampleCompany({ end: END, days: 3 })
      const files = await writeCompanyFiles(small, dir)
      const lines = (await readFile(files.mixpanel, 'utf8')).split('\n')
      expect(lines.pop()).toBe('')
      expect(lines).toHaveLength(small.totals.mixpanel)
      const zip = await yauzl.openPromise(files.amplitude)
      let rows = 0
      for await (const entry of zip.eachEntry()) {
        expect(entry.fileName).toMatch(/^431207\/431207_2026-\d\d-\d\d_\d{1,2}#[01]\.json\.gz$/)
        const parts: Buffer[] = []
        for await (const part of await zip.openReadStreamPromise(entry)) parts.push(part as Buffer)
        rows += gunzipSync(Buffer.concat(parts)).toString().trimEnd().split('\n').length
      }
      expect(rows).toBe(small.totals.amplitude)
    } finally {
      await rm(dir, { recursive: true })
    }
  })
})
