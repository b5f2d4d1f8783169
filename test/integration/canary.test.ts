import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals'
import { sql } from 'kysely'
import { watchAlerts } from '../../jobs/alerts/look.ts'
import { tendCanary } from '../../jobs/canary.ts'
import { readRanking } from '../../src/app/ranking.ts'
import { readAlerts } from '../../src/infra/postgres/alert-store.ts'
import { eventually } from '../support/embedded-processes.ts'
import { removeFolders, type TestState } from '../support/state.ts'
import { closeThreads, openThread, pulledState, type Thread } from '../support/thread.ts'

const EMAIL = 'canary@northfield-tools.com'
const never = new AbortController().signal

let origin: TestState
beforeAll(async () => {
  origin = await pulledState()
})
afterEach(closeThreads)
afterAll(async () => {
  await origin.close()
  await removeFolders()
})

/** What a person would see, but for the canary's own contact. */
async function seen({ app, status, vendors }: Thread) {
  const { people, qualifiedPeople, accounts, sources } = await status()
  const people500 = await readRanking(app.context.db, 'person', { limit: 500 })
  const accounts500 = await readRanking(app.context.db, 'account', { limit: 500 })
  const tasks = vendors.hubspot.records('tasks').length
  const names = Object.keys(sources)
  return { people, qualifiedPeople, accounts, names, people500, accounts500, tasks }
}

describe('the canary', () => {
  it('goes the whole way to its contact, is read back there, and is counted nowhere', async () => {
    const thread = await openThread({ origin, environment: { RIPEN_CANARY_EMAIL: EMAIL } })
    thread.vendors.hubspot.seed({ contacts: [{ email: EMAIL }] })
    await thread.run()
    const before = await seen(thread)
    const { context, engine } = thread.app
    await tendCanary(context, never)
    const beat = await eventually('its return', async () => {
      await engine.wake(['stage', 'desire', 'reconcile'])
      await tendCanary(context, never)
      const row = await context.db.selectFrom('canary_beat').selectAll().executeTakeFirst()
      return row?.seen_at ? row : undefined
    })
    const contact = thread.vendors.hubspot
      .records('contacts')
      .find(({ properties }) => properties['email'] === EMAIL)
    expect(contact?.properties['pql_model']).toBe(beat.token)
    expect(await seen(thread)).toEqual(before)
    // Until it is time again, none is let go.
    await tendCanary(context, never)
    expect(await context.db.selectFrom('canary_beat').select('token').execute()).toEqual([
      { token: beat.token },
    ])
  })

  it('that does not arrive is told, and told again when one does', async () => {
    const thread = await openThread({ origin, environment: { RIPEN_CANARY_EMAIL: EMAIL } })
    await thread.run()
    const { context, engine } = thread.app
    const { db } = context
    const state = async () => {
      await watchAlerts(context, never)
      return (await readAlerts(db)).find(({ kind }) => kind === 'canary')?.isFiring
    }
    // There is no such contact.
    await tendCanary(context, never)
    expect(await state()).toBe(false)
    await sql`update canary_beat set let_go_at = let_go_at - interval '16 minutes'`.execute(db)
    expect(await state()).toBe(true)
    thread.vendors.hubspot.seed({ contacts: [{ email: EMAIL }] })
    await sql`update canary_beat set let_go_at = let_go_at - interval '1 hour'`.execute(db)
    await tendCanary(context, never)
    await eventually('its return', async () => {
      await engine.wake(['stage', 'desire', 'reconcile'])
      await tendCanary(context, never)
      return (await state()) === false || undefined
    })
    const told = await db.selectFrom('canary_beat').select('seen_at').executeTakeFirst()
    expect(told?.seen_at).not.toBeNull()
  })
})
