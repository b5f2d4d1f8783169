import { type MergedIntent, mergeIntent } from '../../src/infra/postgres/merge-store.ts'
import { heirsOf } from './address-task.ts'
import type { Settling } from './settle-intent.ts'

interface PlannedIntent extends Omit<MergedIntent, 'personRefs' | 'task'> {
  readonly task: MergedIntent['task'] & Pick<MergedIntent, 'personRefs'>
}

/** Has an open task, or a note, take in a planned task. */
export async function takeIn(
  { context: { db, clock }, run }: Settling,
  intent: PlannedIntent,
  into: string,
): Promise<void> {
  const personRefs = await heirsOf(db, intent.task.personRefs)
  await mergeIntent(db, { ...intent, personRefs }, into, clock())
  run.count('tasksMerged')
}
