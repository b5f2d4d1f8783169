import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals'
import { explain } from '../../src/app/explanation.ts'
import { evidenceIn } from '../../src/app/identity-evidence.ts'
import { readRefusedJoins } from '../../src/app/refused-joins.ts'
import { mappingFiles } from '../support/mapping-files.ts'
import { DOMAINS, WHO } from '../support/small-usage.ts'
import { removeFolders, type TestState } from '../support/state.ts'
import { closeThreads, NOW, openThread, pulledState, type Thread } from '../support/thread.ts'

let origin: TestState
beforeAll(async () => {
  origin = await pulledState()
})
afterEach(closeThreads)
afterAll(async () => {
  await origin.close()
  await removeFolders()
})

/** Publishes an identity.yaml and waits until people are what it says. */
async function declare(thread: Thread, text: string): Promise<void> {
  await thread.publish({ ...(await mappingFiles()), 'identity.yaml': `version: 1\n${text}` })
  await settle(thread)
}

async function settle({ app }: Thread): Promise<void> {
  await app.engine.wake(['identity'])
  for (const step of ['identity', 'score', 'desire'] as const) await app.engine.idle([step])
}

const explained = ({ app }: Thread, who: string) =>
  explain(app.context.db, who, evidenceIn(app.context))

describe('an identity.yaml', () => {
  it('parts a person, who stays parted when usage says the same again', async () => {
    const thread = await openThread({ origin })
    const pair = 'not-the-same: [[amplitude/u:a-ivy, mixpanel/u:m-ivy]]'
    await declare(thread, pair)
    const parted = async () => ({
      amplitude: (await explained(thread, 'amplitude/u:a-ivy'))?.identities,
      mixpanel: (await explained(thread, 'mixpanel/u:m-ivy'))?.identities,
    })
    const want = {
      amplitude: ['amplitude/u:a-ivy'],
      mixpanel: [`email/${WHO.latecomer}`, 'mixpanel/d:dev-ivy', 'mixpanel/u:m-ivy'],
    }
    expect(await parted()).toEqual(want)
    thread.usage.mixpanel({ event: 'page_viewed', user: 'm-ivy', at: NOW, email: WHO.latecomer })
    thread.setNow(new Date(NOW.getTime() + 3_600_000))
    await thread.pull(['mixpanel'])
    expect(await parted()).toEqual(want)
    const { splits, notTheSame } = await readRefusedJoins(thread.app.context.db)
    expect(splits).toEqual([
      {
        a: 'amplitude/u:a-ivy',
        b: `email/${WHO.latecomer}`,
        over: 'email',
        since: expect.any(String),
      },
    ])
    expect(notTheSame).toEqual([['amplitude/u:a-ivy', 'mixpanel/u:m-ivy']])
    await declare(thread, '')
    expect((await explained(thread, WHO.latecomer))?.identities).toHaveLength(4)
    expect((await readRefusedJoins(thread.app.context.db)).splits).toEqual([])
  })

  it('moves people to another account and back, and tells what it refuses to join', async () => {
    const thread = await openThread({ origin })
    await declare(
      thread,
      `accounts: { ${WHO.quiet}: ${DOMAINS.solo} }\nshared: [mixpanel/d:dev-ivy]\n`,
    )
    expect(await explained(thread, WHO.quiet)).toMatchObject({
      account: DOMAINS.solo,
      accountBy: { rule: 'override', value: WHO.quiet },
    })
    expect((await readRefusedJoins(thread.app.context.db)).shared).toEqual([
      { id: 'mixpanel/d:dev-ivy', identities: 1, why: 'declared', since: expect.any(String) },
    ])
    await declare(thread, '')
    expect(await explained(thread, WHO.quiet)).toMatchObject({
      account: 'quiet-mills.com',
      accountBy: { rule: 'domain', value: 'quiet-mills.com' },
    })
  })
})

describe('an explanation', () => {
  it('says where and when each id was seen to be this person', async () => {
    const thread = await openThread({ origin })
    const found = await explained(thread, WHO.latecomer)
    const day = (joins = found?.joins ?? []) =>
      joins.map(({ a, b, source, over, firstAt }) => [a, b, source, over, firstAt.slice(0, 10)])
    expect(day()).toEqual([
      ['amplitude/u:a-ivy', `email/${WHO.latecomer}`, 'amplitude', 'email', '2026-09-07'],
      ['mixpanel/u:m-ivy', `email/${WHO.latecomer}`, 'mixpanel', 'email', '2026-09-07'],
      ['mixpanel/u:m-ivy', 'mixpanel/d:dev-ivy', 'mixpanel', 'device', '2026-09-07'],
    ])
  })
})

describe('an analytics group', () => {
  it('is the account of its people, and takes over the record of their domain', async () => {
    const thread = await openThread({ origin })
    thread.vendors.hubspot.seed({ companies: [{ domain: DOMAINS.fresh }] })
    await thread.run()
    for (const user of ['ana', 'bo']) {
      const props = { workspace: 'ws-1' }
      const email = user === 'ana' ? WHO.champion : WHO.colleague
      thread.usage.mixpanel({ event: 'page_viewed', user: `m-${user}`, email, at: NOW, props })
    }
    thread.setNow(new Date(NOW.getTime() + 3_600_000))
    const from = '# What models may read'
    const to = `account: [event.workspace]\n${from}`
    await thread.publish(await mappingFiles({ file: 'usage.yaml', from, to }))
    await thread.pull()
    expect(await explained(thread, WHO.champion)).toMatchObject({
      account: DOMAINS.fresh,
      accountBy: { rule: 'group', value: 'ws-1' },
    })
    // Her colleague without a group is with them, by the domain that most of them have.
    const colleague = await explained(thread, WHO.newcomer)
    expect(colleague).toMatchObject({ accountBy: { rule: 'domain', value: DOMAINS.fresh } })
    const account = await explained(thread, 'ws-1')
    expect(account?.identities).toEqual([WHO.champion, WHO.colleague, WHO.newcomer].sort())
    await thread.score()
    expect(await thread.sync()).toMatchObject({ parked: 0 })
    const companies = thread.vendors.hubspot.records('companies')
    const fresh = companies.filter(({ properties }) => properties['domain'] === DOMAINS.fresh)
    expect(fresh.map(({ properties }) => properties['pqa_account_id'])).toEqual([account?.id])
  })
})

describe('the company that HubSpot has a contact under', () => {
  it('is the person’s account, and gets no second company from us', async () => {
    const thread = await openThread({ origin })
    const { hubspot } = thread.vendors
    hubspot.seed({
      contacts: [{ email: WHO.student }, { email: WHO.loner }],
      companies: [{ domain: 'finn-consulting.com' }, { domain: DOMAINS.solo }],
      employments: [
        { contact: 0, company: 0 },
        { contact: 1, company: 0 },
      ],
    })
    await thread.run()
    await settle(thread)
    for (const who of [WHO.student, WHO.loner]) {
      expect(await explained(thread, who)).toMatchObject({
        account: 'finn-consulting.com',
        accountBy: { rule: 'crm', value: 'finn-consulting.com' },
      })
    }
    const result = await thread.run()
    expect(result).toMatchObject({ parked: 0 })
    expect(await thread.run()).toMatchObject({ writeCalls: 0 })
    const contact = hubspot.records('contacts').find((c) => c.properties['email'] === WHO.loner)
    const links = hubspot.associations().filter(({ from }) => from.id === contact?.id)
    const to = links.filter((link) => link.to.type === 'companies').map((link) => link.to.id)
    expect(new Set(to).size).toBe(1)
  })

  it('is not what we ourselves put there', async () => {
    const thread = await openThread({ origin })
    await thread.run()
    thread.setNow(new Date(NOW.getTime() + 2 * 86_400_000))
    await thread.run()
    await settle(thread)
    expect(await explained(thread, WHO.champion)).toMatchObject({
      accountBy: { rule: 'domain', value: DOMAINS.fresh },
    })
  })
})
