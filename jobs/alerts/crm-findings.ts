import { sql } from 'kysely'
import type { Finding } from '../../src/core/alerts/alert.ts'
import { levelBelow, parkedLevel } from '../../src/core/alerts/levels.ts'
import { shortTime } from '../../src/core/freshness/objective.ts'
import { readFreshness } from '../../src/infra/postgres/freshness-report.ts'
import { readDays } from '../../src/infra/postgres/pace-store.ts'
import { connectedCrms, type JobContext } from '../context.ts'

const percent = (share: number): string => `${Math.round(share * 1000) / 10} %`

/** Records that a CRM refuses, of all that it has. */
export async function parkedFindings({ db, alertLimits }: JobContext): Promise<Finding[]> {
  const { rows } = await sql<{
    crm: string
    parked: number
    records: number
    reason: string | null
  }>`
    select crm, (count(*) filter (where state = 'parked'))::int as parked,
      (count(*) filter (where state <> 'unlinked'))::int as records,
      mode() within group (order by reason) filter (where state = 'parked') as reason
    from crm_record group by crm order by crm`.execute(db)
  return rows.map(({ crm, parked, records, reason }) => {
    const level = parkedLevel(parked, records, alertLimits.parkedShare)
    const most = reason === null ? '' : `; most often: ${reason}`
    const text = `${parked} of ${records} records of ${crm} are parked${most}; ripen parked --crm ${crm} lists them`
    return { kind: 'parked-share', about: crm, level, text }
  })
}

/** Whether the objective of freshness is kept. */
export async function freshnessFindings(context: JobContext): Promise<Finding[]> {
  const { db, freshnessObjective: objective } = context
  const all = await readFreshness(db, objective, connectedCrms(context))
  return Object.entries(all).map(([crm, { standing, open }]) => {
    const { kept, total, share, isKept } = standing
    const late = open.reduce((sum, due) => sum + (due.qualified ? due.late : 0), 0)
    const text = `${kept} of ${total} changes of who is qualified were in ${crm} within ${shortTime(objective.withinSeconds)} (${percent(share ?? 1)}; the objective is ${percent(objective.share)} over ${objective.overHours} h); ${late} are late and on the way`
    return { kind: 'freshness', about: crm, level: isKept ? 'good' : 'bad', text }
  })
}

/** A token that is over for so long was not renewed. */
const OVERDUE_MS = 10 * 60_000

/** Tokens that have ended and were not renewed: whoever works at a CRM renews them before. */
export async function tokenFindings({ db }: JobContext): Promise<Finding[]> {
  const rows = await db.selectFrom('credential').select(['connection', 'expires_at']).execute()
  return rows.map(({ connection, expires_at: end }) => {
    const isOver = end.getTime() < Date.now() - OVERDUE_MS
    const text = isOver
      ? `the token of ${connection} ended ${end.toISOString()} and was not renewed; ripen connect --crm ${connection}`
      : `the token of ${connection} is good until ${end.toISOString()}`
    return { kind: 'token-expiry', about: connection, level: isOver ? 'bad' : 'good', text }
  })
}

/** The name of an account begins with its vendor's. */
function quotaMend(name: string): string {
  const vendor = name.split(' ')[0] ?? name
  return `look in ${vendor} which apps use up its calls; ${vendor.toUpperCase()}_DAILY_SHARE is how much of them Ripen takes`
}

/** What vendors said is left of the day, and accounts that are paused. */
export async function quotaFindings({ db, alertLimits }: JobContext): Promise<Finding[]> {
  return (await readDays(db)).flatMap(({ name, calls, callsLeft, pausedUntil, pausedWhy }) => {
    if (pausedUntil !== null) {
      const text = `calls to ${name} are paused until ${pausedUntil.toISOString()}: ${pausedWhy ?? ''}; ${quotaMend(name)}`
      return [{ kind: 'quota', about: name, level: 'bad', text }] satisfies Finding[]
    }
    if (calls === null || callsLeft === null || calls === 0) return []
    const left = callsLeft / calls
    const level = levelBelow(left, alertLimits.quotaLeft)
    const text = `${callsLeft} of ${calls} calls of ${name} are left for the day (${percent(left)})${level === 'good' ? '' : `; ${quotaMend(name)}`}`
    return [{ kind: 'quota', about: name, level, text }] satisfies Finding[]
  })
}
