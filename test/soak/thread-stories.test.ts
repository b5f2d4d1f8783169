import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import { type SampleCompany, sampleCompany } from '../../sandbox/company/sample-company.ts'
import { seedCrm } from '../../sandbox/company/seed-crm.ts'
import { type Explanation, explain } from '../../src/app/explanation.ts'
import type { Score } from '../../src/core/scoring/score.ts'
import { readScores } from '../../src/infra/postgres/score-store.ts'
import { viewPortal } from '../support/portal.ts'
import { removeFolders } from '../support/state.ts'
import { closeThreads, openThread, type Thread } from '../support/thread.ts'

const END = new Date('2026-09-01T00:00:00Z')
const HOUR_MS = 3_600_000
const DAYS = 90

let company: SampleCompany
let thread: Thread
beforeAll(async () => {
  company = sampleCompany({ end: END, days: DAYS })
  thread = await openThread({
    rows: company,
    now: new Date(END.getTime() + 8 * HOUR_MS),
    start: new Date(END.getTime() - DAYS * 24 * HOUR_MS).toISOString().slice(0, 10),
  })
  seedCrm(thread.vendors.hubspot, company)
  await thread.run()
}, 240_000)
afterAll(async () => {
  await closeThreads()
  await removeFolders()
})

/** Events that the vendors hand out by now; an hour of Amplitude is pulled three hours after its end. */
function arrived({ amplitude, totals }: SampleCompany): number {
  const lastHour = new Date(END.getTime() + 4 * HOUR_MS).toISOString().slice(0, 13)
  const late = [...amplitude.keys()].filter((hour) => hour > lastHour)
  const notYet = late.reduce((sum, hour) => sum + (amplitude.get(hour)?.length ?? 0), 0)
  return totals.events - totals.repeated - notYet
}

async function told(who: string): Promise<Explanation & { score: Explanation['scores'][number] }> {
  const found = await explain(thread.app.context.db, who)
  const score = found?.scores[0]
  if (!found || !score) throw new Error(`${who} has no score`)
  return { ...found, score }
}

const ids = ({ score }: { score: Explanation['scores'][number] }) =>
  score.contributions.map(({ id }) => id)

describe('the stories of the sample company, from both vendors into HubSpot', () => {
  it('every event that has arrived counts once, and every score is the sum of its contributions', async () => {
    const { sources, people, accounts } = await thread.status()
    const events = Object.values(sources).reduce((sum, source) => sum + source.events, 0)
    expect(events).toBe(arrived(company))
    expect(people).toBeGreaterThanOrEqual(company.totals.people)
    expect(accounts).toBe(company.totals.companies)
    const { db } = thread.app.context
    const rows = await db.selectFrom('score').select(['model', 'subject_id as id']).execute()
    for (const model of ['people', 'expansion', 'accounts']) {
      const scored = rows.filter((row) => row.model === model).map(({ id }) => id)
      const scores = [...(await readScores(db, model, scored)).values()]
      const sum = (score: Score) => score.contributions.reduce((all, { points }) => all + points, 0)
      expect(scores.length).toBeGreaterThan(200)
      expect(scores.filter((score) => sum(score) !== score.score)).toEqual([])
    }
  })

  it('teams that become ready within the day are qualified accounts with one task each', async () => {
    const teams = [company.stories.team, ...company.stories.freshTeams]
    const { tasks } = viewPortal(thread.vendors.hubspot)
    expect(tasks).toHaveLength(teams.length)
    for (const { domain, champion } of teams) {
      expect((await told(domain)).score.usageStatus).toBe('qualified')
      expect((await told(champion)).score.usageStatus).toBe('qualified')
      const own = tasks.filter((task) => task.on.includes(domain))
      expect(own).toHaveLength(1)
      expect(own[0]?.body).toContain(champion)
      expect(own[0]?.on).toContain(champion)
    }
  })

  it('members with addresses in other regions belong to the same account', async () => {
    const { domain, members } = company.stories.team
    for (const email of members) expect((await told(email)).account).toBe(domain)
  })

  it('a loner is a PQL, and alone makes no PQA', async () => {
    const { email, domain } = company.stories.loner
    expect((await told(email)).score.usageStatus).toBe('qualified')
    expect((await told(domain)).score.usageStatus).not.toBe('qualified')
  })

  it('a student with the same deeds counts less, and has no account', async () => {
    const student = await told(company.stories.student.email)
    const loner = await told(company.stories.loner.email)
    expect(student).toMatchObject({ account: null, score: { usageStatus: 'assist' } })
    expect(student.score.score).toBe(loner.score.score - 20)
  })

  it('who has been silent for long is stale, whatever she did before', async () => {
    const lapsed = await told(company.stories.lapsed.email)
    expect(lapsed.score.usageStatus).toBe('stale')
    expect(lapsed.score.score).toBe(0)
  })

  it('who stands at a limit has it as a reason', async () => {
    expect(ids(await told(company.stories.limit.email))).toContain('near-limit')
  })

  it('a growing customer is told with her team', async () => {
    const { domain, members } = company.stories.expansion
    const account = await told(domain)
    expect(account.identities).toEqual(expect.arrayContaining([...members]))
    expect(ids(account)).toEqual(expect.arrayContaining(['active-people', 'near-limit']))
  })

  it('who pays is scored by the expansion model too, and the champion of a growing customer qualifies', async () => {
    const { champion } = company.stories.expansion
    const { scores } = await told(champion)
    expect(scores.map(({ model }) => model)).toEqual(['expansion', 'people'])
    expect(scores[0]).toMatchObject({ usageStatus: 'qualified', version: 1 })
    const reasons = scores[0]?.contributions.map(({ id }) => id)
    expect(reasons).toEqual(expect.arrayContaining(['near-limit', 'new-colleagues', 'invited']))
    const loner = await told(company.stories.loner.email)
    expect(loner.scores.map(({ model }) => model)).toEqual(['people'])
  })

  it('what somebody did before she signed up is hers', async () => {
    const { email, amplitudeDeviceId, mixpanelDeviceId } = company.stories.anonymousFirst
    const person = await told(email)
    expect(person.identities).toEqual(
      expect.arrayContaining([
        `amplitude/d:${amplitudeDeviceId}`,
        `mixpanel/d:${mixpanelDeviceId}`,
      ]),
    )
    // Only her device looked at prices.
    expect(ids(person)).toContain('pricing')
  })

  it('somebody in both tools under different ids is one person', async () => {
    const { email, amplitudeUserId, mixpanelUserId } = company.stories.bothTools
    const person = await told(email)
    expect(person.identities).toEqual(
      expect.arrayContaining([`amplitude/u:${amplitudeUserId}`, `mixpanel/u:${mixpanelUserId}`]),
    )
  })

  it('nobody is in HubSpot twice, and every contact has its company once', async () => {
    const portal = viewPortal(thread.vendors.hubspot)
    expect(new Set(portal.contacts).size).toBe(portal.contacts.length)
    expect(new Set(portal.companies).size).toBe(portal.companies.length)
    const employed = portal.employments.map((pair) => pair.split(' > ')[0])
    expect(new Set(employed).size).toBe(employed.length)
  })

  it('a second pass makes no call that writes', async () => {
    expect(await thread.run()).toMatchObject({ recordsWritten: 0, writeCalls: 0, tasks: 0 })
  })
})
