import type { CrmOwner } from '../../src/core/ports/crm.ts'
import { noteOf } from '../../src/infra/postgres/task-store.ts'
import type { PlannedTask } from './planned-task.ts'
import {
  makeIntents,
  NOTES,
  type SettledIntent,
  type Settling,
  settleIntent,
} from './settle-intent.ts'
import { takeIn } from './take-in.ts'

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
  if (intent.state === NOTES.doubtful) {
    return settleIntent(settling, NOTES, intent, () => crm.findNotes([{ marker, dealId }], signal))
  }
  return makeIntents(settling, NOTES, [{ intent, told: { ownerId, dealId } }], (sending) =>
    crm.createNotes([note], signal, { sending }),
  )
}

/** Has a young note on the same deal take in a planned task. @returns whether there was one. */
export async function joinNote(
  settling: Settling,
  intent: NotedIntent,
  dealId: string,
): Promise<boolean> {
  const { context, crm } = settling
  const since = new Date(context.clock().getTime() - NOTE_GROWS_MS)
  const place = { accountRef: intent.accountRef, dealId, since }
  const other = await noteOf(context.db, crm.name, place)
  if (other === null) return false
  await takeIn(settling, intent, other)
  return true
}
