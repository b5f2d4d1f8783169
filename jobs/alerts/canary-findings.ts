import type { Finding } from '../../src/core/alerts/alert.ts'
import type { JobContext } from '../context.ts'

/** A canary that did not come back in time. */
export async function canaryFindings({ db, canary }: JobContext): Promise<Finding[]> {
  if (canary === null) return []
  const rows = await db.selectFrom('canary_beat').selectAll().orderBy('crm').execute()
  return rows.map(({ crm, let_go_at: letGoAt, seen_at: seenAt }) => {
    const isOverdue = seenAt === null && Date.now() - letGoAt.getTime() > canary.withinMs
    const level = isOverdue ? 'bad' : seenAt === null ? 'between' : 'good'
    const text = isOverdue
      ? `the canary that was let go ${letGoAt.toISOString()} is not in ${crm}; ripen explain tells how far it came`
      : `the canary that was let go ${letGoAt.toISOString()} ${seenAt ? `was in ${crm} ${seenAt.toISOString()}` : 'is on the way'}`
    return { kind: 'canary', about: crm, level, text }
  })
}
