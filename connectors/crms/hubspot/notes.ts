import { AssociationTypes } from '@hubspot/api-client'
import type { CreateTasksOptions, TaskOutcome } from '../../../src/core/ports/crm.ts'
import type {
  CrmDealNote,
  CrmNoteAmendment,
  NoteAmendOutcome,
} from '../../../src/core/ports/crm-notes.ts'
import { createEach } from './create-tasks.ts'
import { newestFirst } from './find-tasks.ts'
import { readAssociations } from './read-associations.ts'
import { readTaskRecords } from './read-tasks.ts'
import { MAX_BATCH } from './records.ts'
import { describeRefusal } from './refusal.ts'
import { chunks, type Session, sendSettled } from './session.ts'
import { hasNote, markersIn, toTaskBody, withNote } from './task-body.ts'
import { association } from './task-input.ts'
import type { Call, CallResult } from './transport.ts'
import { parseRecord } from './wire-shapes.ts'

const UNKNOWN: NoteAmendOutcome = { kind: 'unknown' }
const BODY = 'hs_note_body'

/** Creates notes on deals one by one, for the reasons that tasks are. A note has no subject: it is the first line. */
export async function createNotes(
  session: Session,
  notes: readonly CrmDealNote[],
  signal: AbortSignal,
  { sending }: CreateTasksOptions = {},
): Promise<TaskOutcome[]> {
  return createEach(session, notes, (note) => createCall(session, note, sending), signal)
}

function createCall(
  session: Session,
  { marker, subject, body, at, dealId, ownerId }: CrmDealNote,
  sending: CreateTasksOptions['sending'],
): Call {
  const input = {
    properties: {
      hs_timestamp: at,
      [BODY]: toTaskBody(`${subject}\n\n${body}`, marker),
      ...(ownerId === null ? {} : { hubspot_owner_id: ownerId }),
    },
    associations: [association(dealId, AssociationTypes.noteToDeal)],
  }
  return {
    kind: 'write',
    endpoint: 'POST notes',
    sending: sending && (() => sending(marker)),
    invoke: (options) => session.apis.record.create('notes', input, options),
  }
}

/** Looks for our markers among the notes of the deals, newest first. */
export async function findNotes(
  session: Session,
  wanted: readonly Pick<CrmDealNote, 'marker' | 'dealId'>[],
  signal: AbortSignal,
): Promise<Map<string, string>> {
  const dealIds = wanted.map(({ dealId }) => dealId)
  const ends = await readAssociations(session, 'deals', 'notes', dealIds, signal)
  const noteIds = [...new Set(ends.map(({ toId }) => toId))].sort(newestFirst)
  const open = new Set(wanted.map(({ marker }) => marker))
  const found = new Map<string, string>()
  for (const ids of chunks(noteIds, MAX_BATCH)) {
    if (open.size === 0) break
    for (const note of await readTaskRecords(session, ids, [BODY], signal, 'notes')) {
      for (const marker of markersIn(note.properties[BODY] ?? '')) {
        if (open.delete(marker)) found.set(marker, note.id)
      }
    }
  }
  return found
}

/** Adds lines to notes. Each note is read right before its call, because HubSpot knows no condition for an update. */
export async function amendNotes(
  session: Session,
  amendments: readonly CrmNoteAmendment[],
  signal: AbortSignal,
): Promise<NoteAmendOutcome[]> {
  const outcomes: NoteAmendOutcome[] = amendments.map(() => UNKNOWN)
  for (const [position, amendment] of amendments.entries()) {
    try {
      outcomes[position] = await amendOne(session, amendment, signal)
    } catch (error) {
      if (position === 0) throw error
      return outcomes
    }
  }
  return outcomes
}

async function amendOne(
  session: Session,
  { noteId, note }: CrmNoteAmendment,
  signal: AbortSignal,
): Promise<NoteAmendOutcome> {
  const [found] = await readTaskRecords(session, [noteId], [BODY], signal, 'notes')
  if (!found || found.archived) return { kind: 'missing' }
  const body = found.properties[BODY] ?? ''
  if (hasNote(body, note)) return { kind: 'amended' }
  const properties = { [BODY]: withNote(body, note) }
  const call = {
    kind: 'write',
    endpoint: 'PATCH notes',
    invoke: (options: Parameters<typeof session.apis.record.update>[4]) =>
      session.apis.record.update('notes', noteId, { properties }, undefined, options),
  } as const
  const result = await sendSettled(session, call, signal)
  if (!result.ok) return failed(result, [note, ...body.split('<br>')])
  // HubSpot leaves out, without a word, what it does not take.
  const written = parseRecord(result.answer.body)?.properties[BODY] ?? ''
  return hasNote(written, note) ? { kind: 'amended' } : UNKNOWN
}

function failed(
  { failure }: Extract<CallResult, { ok: false }>,
  values: readonly string[],
): NoteAmendOutcome {
  if (failure.kind === 'failed') {
    if (!failure.mayHaveHappened) throw failure.error
    return UNKNOWN
  }
  const { refusal } = failure
  if (refusal.status === 404) return { kind: 'missing' }
  const { code, category, correlationId } = refusal
  const reason = describeRefusal(refusal, values)
  return { kind: 'rejected', reason, code: code ?? category, correlationId }
}
