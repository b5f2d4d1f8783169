import { createHash } from 'node:crypto'
import { sql } from 'kysely'
import { ageAtArrival } from '../../src/core/freshness/age.ts'
import type { PlaybookTask } from '../../src/core/mapping/playbook.ts'
import { markOf } from '../../src/core/playbook/material-change.ts'
import { renderTask, type TaskStory } from '../../src/core/playbook/task-story.ts'
import type { Tx } from '../../src/infra/postgres/database.ts'
import type { PlaybookStart } from '../../src/infra/postgres/playbook-store.ts'
import type { Arrivals } from '../../src/infra/postgres/touched.ts'
import type { PlannedTask } from './planned-task.ts'
import type { Started } from './playbook-triggers.ts'

/** The task of one start. */
export interface TaskToPlan {
  readonly row: PlaybookStart
  readonly started: Started
  readonly rules: PlaybookTask
  readonly story: TaskStory
  /** The person whom it is about; null where it is about the account. */
  readonly about: string | null
  /** Whom its texts name. */
  readonly personRefs: readonly string[]
  /** Where its templates stand, for messages. */
  readonly where: string
}

/**
 * Notes that a task is to be made.
 * @throws {ConfigError} when its texts do not render.
 */
export async function planTask(
  { tx, now, arrivals }: { readonly tx: Tx; readonly now: Date; readonly arrivals: Arrivals },
  { row, started, rules, story, about, personRefs, where }: TaskToPlan,
): Promise<void> {
  const { subject, body } = await renderTask(rules, story, where)
  const { key, crm, playbook, accountRef, segment } = row
  const task: PlannedTask = {
    ...{ subject, body, ...termsOf(rules, now), accountRef, personRefs, segment },
    reason: reasonOf(story),
  }
  const marker = `RPN-${createHash('sha256').update(key).digest('hex').slice(0, 10).toUpperCase()}`
  const { score } = started.spoken
  const arrivedAt = arrivals.of(row.subjectId)
  const waitedMs = arrivedAt === null ? 0 : Date.now() - arrivedAt.getTime()
  const ageMs = ageAtArrival(score.facts.lastActive, now, waitedMs)
  await sql`insert into task_intent (key, crm, account_ref, person_ref, playbook, marker, state, task,
      qualified_at, told, created_at, arrived_at, event_age_ms)
    values (${key}, ${crm}, ${accountRef}, ${about}, ${playbook}, ${marker}, 'planned',
      ${JSON.stringify(task)}::jsonb, ${started.episode}, ${JSON.stringify(markOf(score))}::jsonb, ${now},
      ${arrivedAt}, ${ageMs})
    on conflict (key) do nothing`.execute(tx)
}

function reasonOf({ playbook, person, happened }: TaskStory): string {
  return `${playbook}${person ? ` (${person.email})` : ''}: ${happened}`
}

/** What the playbook says of every task, at the time of its planning. */
function termsOf(rules: PlaybookTask, now: Date) {
  const dueMs = now.getTime() + rules['due-in']
  const before = rules['remind-before']
  return {
    dueAt: new Date(dueMs).toISOString(),
    priority: rules.priority,
    type: rules.type,
    queueId: rules.queue ?? null,
    reminderAt: before === undefined ? null : new Date(dueMs - before).toISOString(),
  }
}
