import type { CrmOwner } from '../../src/core/ports/crm.ts'
import { mergeIntent, noteOf } from '../../src/infra/postgres/task-store.ts'
import { heirsOf } from './address-task.ts'
import type { PlannedTask } from './planned-task.ts'
import { type SettledIntent, type Settling, settleIntent } from './settle-intent.ts'

/** So long a note takes in what is new; after that nobody looks for it in an old one. */
export const NOTE_GROWS_MS = 7 * 86_400_000

/** A task that a note takes the place of. */
interface NotedIntent extends SettledIntent {
  readonly accountRef: string
  readonly playbook: string
  readonly qualifiedAt: Date | null
  readonly ownerId: string | null
  readonly createdAt: Date
  readonly task: PlannedTask
}

/** Tells on the open deal, once for an episode, what a task would have asked for. */
export function noteOnDeal(
  settling: Settling,
  intent: NotedIntent,
  dealId: string,
  owners: readonly CrmOwner[],
  dealOwnerId: string | null = intent.ownerId,
): Promise<void> {
  const { crm, signal } = settling
  const { marker, task, createdAt } = intent
  const { subject, body } = task
  const owner = owners.find(({ id, active }) => active && id === dealOwnerId)
  const ownerId = owner?.id ?? null
  const note = { marker, subject, body, dealId, ownerId, at: createdAt.toISOString() }
  return settleIntent(settling, intent, {
    ...{ doubtful: 'noting', done: 'noted', counted: 'notes', told: { ownerId, dealId } },
    find: async () => (await crm.findNotes([{ marker, dealId }], signal)).get(marker),
    make: async (sending) => (await crm.createNotes([note], signal, { sending }))[0],
  })
}

/** Has a young note on the same deal take in a planned task. @returns whether there was one. */
export async function joinNote(
  { context: { db, clock }, crm, run }: Settling,
  intent: NotedIntent,
  dealId: string,
): Promise<boolean> {
  const now = clock()
  const since = new Date(now.getTime() - NOTE_GROWS_MS)
  const other = await noteOf(db, crm.name, { accountRef: intent.accountRef, dealId, since })
  if (other === null) return false
  const personRefs = await heirsOf(db, intent.task.personRefs)
  await mergeIntent(db, { ...intent, personRefs }, other, now)
  run.count('tasksMerged')
  return true
}
