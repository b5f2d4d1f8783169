import { sql } from 'kysely'
import type { Db } from '../../src/infra/postgres/database.ts'

/** When the window was in the lake: nothing of it was added up yet. */
export async function arrivalOf(db: Db, since: number): Promise<number> {
  const { rows } = await sql<{ at: Date }>`select finished_at as at from run
    where step = 'pull' and key = 'amplitude' and outcome = 'done' and finished_at >= ${new Date(since)}
    order by id limit 1`.execute(db)
  const [row] = rows
  if (!row) throw new Error('nothing arrived')
  return row.at.getTime()
}

/** Runs that are shorter are those of single events that stream in. */
const LONG = 0.3

/**
 * What was done when, in seconds from the arrival: the runs that took long, in the order in which they began; then when scores of who
 * is qualified were stored, and when their records and tasks were planned and were in the CRM by Ripen's own count.
 */
export async function timelineSince(db: Db, arrived: number): Promise<readonly string[]> {
  const at = new Date(arrived)
  const after = sql`extract(epoch from t - ${at}::timestamptz)`
  const { rows } = await sql<{
    what: string
    n: number
    first: number
    half: number
    last: number
  }>`
    select what, count(*)::int as n, min(${after})::float8 as first,
      percentile_disc(0.5) within group (order by ${after})::float8 as half,
      percentile_disc(0.99) within group (order by ${after})::float8 as last
    from (select 'scores of the qualified stored' as what, recorded_at as t from score_change
        where to_status = 'qualified' and recorded_at >= ${at}
      union all select 'tasks planned', created_at from task_intent where created_at >= ${at}
      union all select 'tasks in the CRM', in_crm_at from task_intent where in_crm_at >= ${at}
      union all select object || case when qualified then ' records of the qualified in the CRM'
          else ' records of others in the CRM' end, in_crm_at from freshness
        where in_crm_at >= ${at}) t
    group by 1 order by 4`.execute(db)
  const told = rows.map(
    ({ what, n, first, half, last }) =>
      `${n} ${what}: first ${first.toFixed(2)}, median ${half.toFixed(2)}, 99 % ${last.toFixed(2)}`,
  )
  return [...(await runsSince(db, at)), ...told]
}

async function runsSince(db: Db, at: Date): Promise<readonly string[]> {
  const { rows } = await sql<{ name: string; from: number; to: number; counts: object }>`
    select step || ' ' || key as name, extract(epoch from started_at - ${at})::float8 as from,
      extract(epoch from finished_at - ${at})::float8 as to, counts
    from run where finished_at > ${at}
      and extract(epoch from finished_at - started_at) > ${LONG}
    order by started_at limit 40`.execute(db)
  return rows.map(({ name, from, to, counts }) => {
    const some = Object.entries(counts).filter(([, n]) => n > 0)
    const told = some.map(([what, n]) => `${what} ${n}`).join(', ')
    return `${name}: ${from.toFixed(2)} – ${to.toFixed(2)} (${told})`
  })
}
