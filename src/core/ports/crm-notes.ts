import type { CreateTasksOptions, TaskOutcome } from './crm.ts'

/** What is told on an open deal in place of a task: somebody works on the account already. */
export interface CrmDealNote {
  /** Names the episode, so that the note can be found again. */
  readonly marker: string
  /** One line. */
  readonly subject: string
  /** Plain text with line breaks. */
  readonly body: string
  readonly dealId: string
  /** When it is from, ISO 8601 UTC. */
  readonly at: string
  /** Id of an active owner, who is shown as its author; null leaves that to the CRM. */
  readonly ownerId: string | null
}

/** What is to be added to a note that is there: what a person wrote in it stays. */
export interface CrmNoteAmendment {
  readonly noteId: string
  /** One line that the reader finds above the text; a note has it once. */
  readonly note: string
}

export type NoteAmendOutcome =
  | { readonly kind: 'amended' }
  /** Somebody has deleted it. */
  | { readonly kind: 'missing' }
  | {
      readonly kind: 'rejected'
      readonly reason: string
      readonly code: string | null
      readonly correlationId: string | null
    }
  /** The answer does not say. Asking again with the same line is safe. */
  | { readonly kind: 'unknown' }

/** Notes on deals. Failures are those of the port. */
export interface CrmNotes {
  /** Creates each note once, never repeats a doubtful call: `outcomes[i]` answers `notes[i]`, by the id of the note. */
  createNotes(
    notes: readonly CrmDealNote[],
    signal: AbortSignal,
    options?: CreateTasksOptions,
  ): Promise<readonly TaskOutcome[]>
  /** Looks for our markers among the notes of the given deals (not by search, which lags): marker → id of the note. */
  findNotes(
    wanted: readonly Pick<CrmDealNote, 'marker' | 'dealId'>[],
    signal: AbortSignal,
  ): Promise<ReadonlyMap<string, string>>
  /** Adds lines to notes: `outcomes[i]` answers `amendments[i]`. Throws only while nothing was sent. */
  amendNotes(
    amendments: readonly CrmNoteAmendment[],
    signal: AbortSignal,
  ): Promise<readonly NoteAmendOutcome[]>
}
