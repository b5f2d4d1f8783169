import { afterAll, afterEach, describe, expect, it } from '@jest/globals'
import { explain } from '../../src/app/explanation.ts'
import { holdingsOf } from '../support/holdings.ts'
import { mappingFiles } from '../support/mapping-files.ts'
import { smallUsage, WHO } from '../support/small-usage.ts'
import { removeFolders } from '../support/state.ts'
import { closeThreads, NOW, openThread, type Thread } from '../support/thread.ts'

afterEach(closeThreads)
afterAll(removeFolders)

const SECRETS = ['in-an-amplitude-event', 'in-an-amplitude-user', 'in-a-mixpanel-event']

/** A pull over HTTP from both vendors, whose rows say more than the tracking plan asks for. */
async function pulled(keep: 'mapped' | 'all', insertId: object = {}): Promise<Thread> {
  const usage = smallUsage(NOW)
  const at = new Date(NOW.getTime() - 6 * 3_600_000)
  const who = { user: 'a-kim', email: 'kim@kept.dev', at }
  const [event = '', user = '', mixpanel = ''] = SECRETS
  usage.amplitude({
    ...who,
    event: 'Limit Status',
    props: { percent_used: 90, phone: event },
    traits: { plan: 'trial', home_address: user },
  })
  usage.mixpanel({
    ...who,
    event: 'page_viewed',
    props: { path: '/pricing', plan: 'trial', phone: mixpanel, ...insertId },
  })
  const rows = { amplitude: usage.amplitudeRows, mixpanel: usage.mixpanelRows }
  const mappings = await mappingFiles({
    file: 'usage.yaml',
    from: 'version: 1\n',
    to: `version: 1\nkeep: ${keep}\n`,
  })
  const thread = await openThread({ rows, mappings })
  await thread.pull()
  await thread.score()
  // What the plan looks at came through either way: 10 for the limit and 10 for the prices.
  expect(await explain(thread.app.context.db, who.email)).toMatchObject({
    traits: [{ name: 'plan', value: 'trial' }],
    scores: [{ score: 20 }],
  })
  return thread
}

describe('of what both vendors send', () => {
  it('only what the tracking plan looks at is stored', async () => {
    const { app } = await pulled('mapped')
    expect(await holdingsOf(app, SECRETS)).toEqual([])
    expect(await holdingsOf(app, [WHO.champion])).not.toEqual([])
  })

  it('a row that only the whole of its properties tells from others counts like any other', async () => {
    const { app } = await pulled('mapped', { $insert_id: '' })
    expect(await holdingsOf(app, SECRETS)).toEqual([])
  })

  it('everything is stored when the plan says so', async () => {
    const { app } = await pulled('all')
    for (const secret of SECRETS) {
      expect({ secret, found: await holdingsOf(app, [secret]) }).toEqual({
        secret,
        found: expect.arrayContaining([expect.stringMatching(/^file /)]),
      })
    }
  })
})
