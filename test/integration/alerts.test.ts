import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from '@jest/globals'
import { sql } from 'kysely'
import { Webhook } from 'standardwebhooks'
import { watchAlerts } from '../../jobs/alerts/look.ts'
import { missedFindings } from '../../jobs/alerts/source-findings.ts'
import type { App } from '../../src/app/compose.ts'
import { ALERT_KINDS } from '../../src/core/alerts/alert.ts'
import type { Db } from '../../src/infra/postgres/database.ts'
import { beginNotice, endNotice } from '../../src/infra/postgres/notices.ts'
import { storeDay } from '../../src/infra/postgres/pace-store.ts'
import {
  beginRun,
  failWork,
  finishRun,
  readWork,
  requestTouched,
} from '../../src/infra/postgres/work.ts'
import {
  type MailReceiver,
  type PostReceiver,
  startMailReceiver,
  startPostReceiver,
} from '../support/receivers.ts'
import { removeFolders, type TestState } from '../support/state.ts'
import { closeThreads, openThread, pulledState } from '../support/thread.ts'

const SECRET = 'a secret of the alerts of a test'
const PASSWORD = 'a password: of/mail'

let origin: TestState
let slack: PostReceiver
let hook: PostReceiver
let mail: MailReceiver
beforeAll(async () => {
  origin = await pulledState()
})
beforeEach(async () => {
  slack = await startPostReceiver()
  hook = await startPostReceiver()
  mail = await startMailReceiver('ripen', PASSWORD)
})
afterEach(async () => {
  await closeThreads()
  for (const one of [slack, hook, mail]) await one.close()
})
afterAll(async () => {
  await origin.close()
  await removeFolders()
})

const open = () =>
  openThread({
    origin,
    working: false,
    environment: {
      RIPEN_ALERT_SLACK_URL: slack.url,
      RIPEN_ALERT_WEBHOOK_URL: hook.url,
      RIPEN_ALERT_WEBHOOK_SECRET: SECRET,
      RIPEN_ALERT_SMTP_URL: mail.url,
      RIPEN_ALERT_EMAIL_FROM: 'ripen@ops.example',
      RIPEN_ALERT_EMAIL_TO: 'ann@ops.example, bob@ops.example',
      RIPEN_CANARY_EMAIL: 'canary@ops.example',
    },
  })

const never = new AbortController().signal

/** Several processes look, at once and again, before and after what they found has lasted. */
async function look(apps: readonly App[]): Promise<void> {
  const all = async () => {
    await Promise.all(apps.map(({ context }) => watchAlerts(context, never)))
    for (const { context } of apps) await watchAlerts(context, never)
  }
  await all()
  const db = apps[0]?.context.db as Db
  await sql`update alert set leaning_since = leaning_since - interval '1 hour'`.execute(db)
  await all()
}

const SOME_RECORDS = sql`insert into crm_record (ref, crm, object, may_create, lookup, desired,
    desired_on_create, state, reason)
  select 'per_' || i, 'hubspot', 'contact', true, '{}', '{}', '{}',
    case when i = 1 then 'pending' else 'parked' end, case when i > 1 then 'no such option' end
  from generate_series(1, 7) i`

/** Everything that is watched goes wrong. */
async function breakAll(db: Db): Promise<void> {
  await beginNotice(db, 'schedule-missed', 'amplitude', { lastSuccess: null })
  await SOME_RECORDS.execute(db)
  await sql`insert into freshness (ref, crm, object, qualified, due_since, due_age_ms)
    values ('per_1', 'hubspot', 'contact', true, now() - interval '1 hour', 0)`.execute(db)
  await sql`insert into credential (connection, kind, key_id, sealed, generation, expires_at, refresh_at)
    values ('hubspot', 'oauth', 'k', '', 1, now() - interval '1 hour', now())`.execute(db)
  await storeDay(db, 'hubspot 1', { calls: 1000, left: 50 })
  await sql`insert into schema_change (source, kind, name, change, day, mapped)
    values ('mixpanel', 'event', 'invite_sent', 'vanished', current_date, true),
      ('mixpanel', 'event', 'something else', 'vanished', current_date, false)`.execute(db)
  await sql`insert into canary_beat (crm, let_go_at, token)
    values ('hubspot', now() - interval '1 hour', 't')`.execute(db)
  await sql`create table gap as select * from source_window where source = 'amplitude'
    and strpos(window_key, '~') = 0 order by window_key offset 5 limit 1`.execute(db)
  await sql`delete from source_window w using gap g
    where w.source = g.source and w.window_key = g.window_key`.execute(db)
}

/** All of it is mended. */
async function mendAll(db: Db): Promise<void> {
  await endNotice(db, 'schedule-missed', 'amplitude')
  await sql`update crm_record set state = 'in-sync', reason = null`.execute(db)
  await sql`update freshness set due_since = null`.execute(db)
  await sql`update credential set expires_at = now() + interval '1 hour'`.execute(db)
  await storeDay(db, 'hubspot 1', { calls: 1000, left: 900 })
  await sql`update schema_change set ended_at = now()`.execute(db)
  await sql`update canary_beat set seen_at = now()`.execute(db)
  await sql`insert into source_window select * from gap`.execute(db)
}

const told = () => hook.received.map(({ body }) => JSON.parse(body))
const kindsOf = (state: string) =>
  told()
    .filter((one) => one.state === state)
    .map((one) => one.kind)
    .sort()

describe('alerts', () => {
  it('tell each change once on each channel, whoever looks and however often', async () => {
    const thread = await open()
    const apps = [thread.app, await thread.colleague()]
    const { db } = thread.app.context
    await look(apps)
    expect(told()).toEqual([])
    await breakAll(db)
    await look(apps)
    expect(kindsOf('firing')).toEqual([...ALERT_KINDS].sort())
    // Another process comes, and looks at the same.
    await look([...apps, await thread.colleague()])
    await mendAll(db)
    await look(apps)
    expect(kindsOf('resolved')).toEqual([...ALERT_KINDS].sort())
    expect(told()).toHaveLength(2 * ALERT_KINDS.length)
    expect(slack.received).toHaveLength(2 * ALERT_KINDS.length)
    expect(mail.mails).toHaveLength(2 * ALERT_KINDS.length)
    expect(slack.received.map(({ body }) => JSON.parse(body).text)).toContainEqual(
      expect.stringMatching(/parked-share hubspot FIRING\n6 of 7 records .*no such option/),
    )
    expect(mail.mails[0]).toMatchObject({
      from: 'ripen@ops.example',
      to: ['ann@ops.example', 'bob@ops.example'],
      text: expect.stringMatching(/^Subject: Ripen: .* FIRING/m),
    })
    const quota = told().find((one) => one.kind === 'quota')
    expect(quota.text).toMatch(/50 of 1000 calls .*which apps use up.*HUBSPOT_DAILY_SHARE/)
    const drift = told().find((one) => one.kind === 'schema-drift')
    expect(drift.text).toContain('event invite_sent vanished')
    expect(drift.text).not.toContain('something else')
    const key = new Webhook(Buffer.from(SECRET), { format: 'raw' })
    for (const { body, headers } of hook.received) {
      expect(key.verify(body, headers as Record<string, string>)).toBeTruthy()
    }
  })

  it('tell of a step whose tries come to nothing, however often it is tried and asked for', async () => {
    const { app } = await open()
    const { db } = app.context
    const tryInVain = async () => {
      await requestTouched(db, 'reconcile', 'hubspot')
      const [row] = await readWork(db, 'reconcile', 'hubspot')
      const version = row?.requested ?? 0
      await failWork(db, 'reconcile', 'hubspot', version, 'retryable', 'HubSpot does not answer')
    }
    await tryInVain()
    expect(await missedFindings(app.context)).toEqual([])
    await sql`update work set open_since = open_since - interval '1 day' where key = 'hubspot'`.execute(
      db,
    )
    await tryInVain()
    expect(await missedFindings(app.context)).toEqual([
      expect.objectContaining({
        about: 'reconcile hubspot',
        text: expect.stringContaining('failed: HubSpot does not answer'),
      }),
    ])
    await sql`update work set failed = 0 where key = 'hubspot'`.execute(db)
    const begun = await beginRun(db, 'reconcile', 'hubspot')
    if (!begun) throw new Error('there is nothing to do')
    await finishRun(db, begun, {})
    await tryInVain()
    expect(await missedFindings(app.context)).toEqual([])
  })

  it('that begin and end within a moment are not told', async () => {
    const { app } = await open()
    const { db } = app.context
    await SOME_RECORDS.execute(db)
    await watchAlerts(app.context, never)
    await sql`update crm_record set state = 'in-sync'`.execute(db)
    await look([app])
    await sql`update crm_record set state = 'parked'`.execute(db)
    await watchAlerts(app.context, never)
    expect(told()).toEqual([])
  })

  it('that cannot be told are told later, on that channel alone', async () => {
    const { app } = await open()
    const { db } = app.context
    slack.answers.push(503)
    await storeDay(db, 'hubspot 1', { calls: 1000, left: 50 })
    await watchAlerts(app.context, never)
    await watchAlerts(app.context, never)
    expect([slack.received.length, hook.received.length, mail.mails.length]).toEqual([0, 1, 1])
    const waits = await db
      .selectFrom('alert_message')
      .select(['channel', 'tries', 'error'])
      .where('ended_at', 'is', null)
      .execute()
    expect(waits).toEqual([{ channel: 'slack', tries: 1, error: 'answered 503' }])
    await sql`update alert_message set again_at = now()`.execute(db)
    await watchAlerts(app.context, never)
    expect([slack.received.length, hook.received.length, mail.mails.length]).toEqual([1, 1, 1])
  })
})
