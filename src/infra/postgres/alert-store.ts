import { sql } from 'kysely'
import {
  type AlertKind,
  type AlertState,
  type Finding,
  nextAlert,
  PATIENCE,
  QUIET,
} from '../../core/alerts/alert.ts'
import type { Db, Tx } from './database.ts'

/** How something that is watched stands, as it is told. */
export interface AlertRow extends AlertState {
  readonly kind: AlertKind
  readonly about: string
  readonly text: string
}

/** What is to be sent to one channel. */
export interface AlertMessage {
  readonly id: string
  readonly channel: string
  readonly subject: string
  readonly body: string
  readonly tries: number
}

/** Everything that is watched, what fires first. */
export async function readAlerts(db: Db | Tx): Promise<readonly AlertRow[]> {
  const rows = await db
    .selectFrom('alert')
    .selectAll()
    .orderBy('firing', 'desc')
    .orderBy('kind')
    .orderBy('about')
    .execute()
  return rows.map(({ kind, about, text, firing, since, leaning_since }) => ({
    kind: kind as AlertKind,
    about,
    text,
    isFiring: firing,
    since,
    leaningSince: leaning_since,
  }))
}

/**
 * Takes what a look found into the states, and leaves a message for each channel where one has changed, in one
 * transaction: however many processes look, each change is told once.
 * @param looked the kinds that were looked at; what was watched of them and was not found is good.
 * @returns how many messages are to be sent.
 */
export async function storeFindings(
  db: Db,
  looked: ReadonlySet<AlertKind>,
  findings: readonly Finding[],
  channels: readonly string[],
  now: Date,
): Promise<number> {
  return db.transaction().execute(async (tx) => {
    await sql`select pg_advisory_xact_lock(hashtext('alerts'))`.execute(tx)
    const known = new Map((await readAlerts(tx)).map((row) => [nameOf(row), row]))
    const found = new Map(findings.map((finding) => [nameOf(finding), finding]))
    for (const row of known.values()) {
      if (!looked.has(row.kind) || found.has(nameOf(row))) continue
      found.set(nameOf(row), { ...row, level: 'good', text: 'it is not there any more' })
    }
    let messages = 0
    for (const finding of found.values()) {
      const state = known.get(nameOf(finding)) ?? QUIET
      const step = nextAlert(state, finding.level, now, PATIENCE[finding.kind])
      await storeState(tx, finding, step.state, now)
      if (step.tell === null) continue
      await tell(tx, finding, step.tell, channels, now)
      messages += channels.length
    }
    await sql`delete from alert where not firing and looked_at < now() - interval '7 days'`.execute(
      tx,
    )
    await sql`delete from alert_message where ended_at < now() - interval '30 days'`.execute(tx)
    return messages
  })
}

const nameOf = ({ kind, about }: Pick<Finding, 'kind' | 'about'>): string => `${kind} ${about}`

async function storeState(
  tx: Tx,
  { kind, about, text }: Finding,
  { isFiring, since, leaningSince }: AlertState,
  now: Date,
): Promise<void> {
  const row = { firing: isFiring, since, leaning_since: leaningSince, text, looked_at: now }
  await tx
    .insertInto('alert')
    .values({ kind, about, ...row })
    .onConflict((c) => c.columns(['kind', 'about']).doUpdateSet(row))
    .execute()
}

async function tell(
  tx: Tx,
  finding: Finding,
  what: 'firing' | 'resolved',
  channels: readonly string[],
  now: Date,
): Promise<void> {
  if (channels.length === 0) return
  const { kind, about, text } = finding
  const subject = `Ripen: ${kind} ${about} ${what === 'firing' ? 'FIRING' : 'resolved'}`
  const body = JSON.stringify({ kind, about, state: what, text, at: now.toISOString() })
  await tx
    .insertInto('alert_message')
    .values(channels.map((channel) => ({ channel, subject, body })))
    .execute()
}

/** Messages that are to be sent by now, the oldest first. */
export async function dueMessages(db: Db): Promise<readonly AlertMessage[]> {
  return db
    .selectFrom('alert_message')
    .select(['id', 'channel', 'subject', 'body', 'tries'])
    .where('ended_at', 'is', null)
    .where(sql<boolean>`again_at <= clock_timestamp()`)
    .orderBy('created_at')
    .execute()
}

/** Notes how a try ended. */
export async function noteTry(
  db: Db,
  id: string,
  ended:
    | { readonly outcome: 'sent' | 'refused'; readonly error: string | null }
    | { readonly againMs: number; readonly error: string },
): Promise<void> {
  if ('outcome' in ended) {
    await sql`update alert_message set tries = tries + 1, ended_at = clock_timestamp(),
        outcome = ${ended.outcome}, error = ${ended.error} where id = ${id}`.execute(db)
    return
  }
  await sql`update alert_message set tries = tries + 1, error = ${ended.error},
      again_at = clock_timestamp() + ${ended.againMs} * interval '1 millisecond'
    where id = ${id}`.execute(db)
}

/** Messages that nobody could be told of within the last days, by channel. */
export async function readUnsent(
  db: Db,
): Promise<readonly { readonly channel: string; readonly n: number; readonly error: string }[]> {
  const { rows } = await sql<{ channel: string; n: number; error: string }>`
    select channel, count(*)::int as n, (array_agg(error order by created_at desc))[1] as error
    from alert_message where error is not null and outcome is distinct from 'sent'
    group by channel order by channel`.execute(db)
  return rows
}
