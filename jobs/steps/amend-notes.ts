import { playbooksOf } from '../../src/core/playbook/playbooks-of.ts'
import { nextAmendments, readNoted, settleAmendment } from '../../src/infra/postgres/task-store.ts'
import { scoresOf, tellChange } from './amend-tasks.ts'
import { NOTE_GROWS_MS } from './note-on-deal.ts'
import type { ReadScope } from './read-scope.ts'

/** Most lines that are added to one note in one run. */
const ROUNDS = 5

/** Notes what young notes on open deals should tell besides: that their story changed. */
export async function planNoteAmendments(scope: ReadScope, now: Date): Promise<void> {
  const { context, crm, set } = scope
  const since = new Date(now.getTime() - NOTE_GROWS_MS)
  const noted = await readNoted(context.db, crm.name, since)
  if (noted.length === 0) return
  const playbooks = new Map(playbooksOf(set, crm.name).map((one) => [one.id, one]))
  const scores = await scoresOf(scope, noted, playbooks)
  for (const note of noted) {
    const score = scores.get(note.key)
    if (score) await tellChange(scope, note, score, now)
  }
}

/**
 * Adds to notes what is planned for them: what a person wrote stays.
 * @returns how many of them are in doubt.
 */
export async function amendNoted({ context, crm, signal, run }: ReadScope): Promise<number> {
  const { db } = context
  for (let round = 0; round < ROUNDS; round++) {
    const next = await nextAmendments(db, crm.name, 'notes')
    if (next.length === 0) return 0
    const asked = next.map(({ taskId, note }) => ({ noteId: taskId, note }))
    const outcomes = await crm.amendNotes(asked, signal)
    let doubtful = 0
    for (const [index, one] of next.entries()) {
      const outcome = outcomes[index] ?? { kind: 'unknown' }
      if (outcome.kind === 'unknown') doubtful += 1
      if (outcome.kind === 'amended') {
        run.count('notesAmended')
        await settleAmendment(db, one, { state: 'done' }, {})
      }
      if (outcome.kind === 'missing') {
        await settleAmendment(db, one, { state: 'refused', reason: 'the note is gone' }, {})
      }
      if (outcome.kind === 'rejected') {
        const { reason, correlationId } = outcome
        run.note({ ref: one.taskKey, outcome: 'refused', reason, correlationId })
        await settleAmendment(db, one, { state: 'refused', reason }, {})
      }
    }
    if (doubtful > 0) return doubtful
  }
  return 0
}
