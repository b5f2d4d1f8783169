import { sql } from 'kysely'
import type { Finding } from '../../src/core/alerts/alert.ts'
import type { Gap } from '../../src/core/usage/ledger.ts'
import { isPublished } from '../../src/infra/mappings/published.ts'
import { readNotices } from '../../src/infra/postgres/notices.ts'
import { readSchemaChanges } from '../../src/infra/postgres/schema-store.ts'
import type { JobContext } from '../context.ts'
import { readSourceLedgers } from '../source-ledger.ts'

/**
 * Sources whose pulls missed their schedule, and steps that nobody works on, that have failed for good, or whose tries
 * have come to nothing for as long.
 */
export async function missedFindings({ db, pullOverdueMs }: JobContext): Promise<Finding[]> {
  const notices = await readNotices(db)
  const missed = notices
    .filter(({ kind, endedAt }) => kind === 'schedule-missed' && endedAt === null)
    .map(({ source, at }): Finding => {
      const text = `no pull of ${source} has succeeded for too long; noticed ${at.toISOString()}. ripen status says why`
      return { kind: 'missed-run', about: `pull ${source}`, level: 'bad', text }
    })
  const overdue = sql`now() - ${pullOverdueMs} * interval '1 millisecond'`
  const { rows } = await sql<{ step: string; key: string; failed: boolean; error: string | null }>`
    select step, key, failed >= requested or error is not null as failed, error from work
    where requested > done and step <> 'pull'
      and (changed_at < ${overdue} or (error is not null and open_since < ${overdue})
        or (failed >= requested and error_kind in ('config', 'bug')))
    order by step, key`.execute(db)
  const stuck = rows.map(({ step, key, failed, error }): Finding => {
    const why = failed
      ? `failed: ${error ?? 'no reason is known'}; ripen status tells more`
      : 'waits, and nobody works on it: is a ripen worker running?'
    return {
      kind: 'missed-run',
      about: `${step} ${key}`,
      level: 'bad',
      text: `${step} ${key} ${why}`,
    }
  })
  return [...missed, ...stuck]
}

/** Windows that are missing between others, by source. */
export async function gapFindings(context: JobContext): Promise<Finding[]> {
  // Nothing is due before the first mapping says what is looked at.
  if (!(await isPublished(context.db))) return []
  // Files do not say that an hour was empty.
  const ledgers = Object.entries(await readSourceLedgers(context)).filter(
    ([source]) => context.sources.get(source)?.online,
  )
  return ledgers.map(([source, { gaps, backfill }]) => {
    // A backfill comes newest first: what it has not reached yet is no gap.
    const isFilling = backfill?.secondsLeft != null
    const level = gaps.length === 0 ? 'good' : isFilling ? 'between' : 'bad'
    return { kind: 'gap', about: source, level, text: gapText(source, gaps) }
  })
}

function gapText(source: string, gaps: readonly Gap[]): string {
  const last = gaps.at(-1)
  if (!last) return `${source} has no gaps`
  const windows = gaps.reduce((sum, gap) => sum + gap.windows, 0)
  const where = last.from === last.to ? last.from : `${last.from} to ${last.to}`
  return `${windows} windows of ${source} were never pulled, the last of them ${where}; ripen pull --source ${source} fetches them`
}

/** Changes of what a vendor sends that the tracking plan looks at: it reads something else now, or nothing. */
export async function driftFindings({ db }: JobContext): Promise<Finding[]> {
  const changes = await readSchemaChanges(db)
  const lost = changes.filter(({ mapped, change }) => mapped && change !== 'new')
  return [...new Set(lost.map(({ source }) => source))].map((source) => {
    const own = lost.filter((change) => change.source === source)
    const some = own.slice(0, 3).map(({ kind, name, change }) => `${kind} ${name} ${change}`)
    const more = own.length > some.length ? `, and ${own.length - some.length} more` : ''
    const text = `${source} does not send what usage.yaml looks at: ${some.join(', ')}${more}. See ripen events`
    return { kind: 'schema-drift', about: source, level: 'bad', text }
  })
}
