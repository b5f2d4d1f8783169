import type { CreateTasksOptions, CrmTask, TaskOutcome } from '../../../src/core/ports/crm.ts'
import { MAX_BATCH } from './records.ts'
import { describeRefusal, type Refusal, refusalOfError } from './refusal.ts'
import { chunks, type Session, sendSettled } from './session.ts'
import { markersIn } from './task-body.ts'
import { BODY, type TaskInput } from './task-input.ts'
import { type Answer, type HubspotRecord, parseListing, parseRecord } from './wire-shapes.ts'

const UNKNOWN: TaskOutcome = { kind: 'unknown' }

interface Sent {
  readonly task: CrmTask
  readonly input: TaskInput
}

/**
 * Creates tasks in batches in which each one stands for itself: every input has a trace id, so that HubSpot creates what it can and names
 * what it refuses. What an answer does not mention is `unknown`, and so is a batch that was refused as a whole: HubSpot is known to
 * leave some of its records behind.
 *
 * Throws only while nothing was sent.
 */
export async function createTaskBatches(
  session: Session,
  tasks: readonly Sent[],
  signal: AbortSignal,
  { sending }: CreateTasksOptions,
): Promise<TaskOutcome[]> {
  const outcomes = new Map<string, TaskOutcome>()
  for (const [place, batch] of chunks(tasks, MAX_BATCH).entries()) {
    const inputs = batch.map(({ task, input }) => ({ ...input, objectWriteTraceId: task.marker }))
    const result = await sendSettled(
      session,
      {
        kind: 'write',
        endpoint: 'POST tasks/batch/create',
        sending:
          sending &&
          (async () => void (await Promise.all(batch.map((s) => sending(s.task.marker))))),
        invoke: (options) => session.apis.records.create('tasks', { inputs }, options),
      },
      signal,
    )
    if (result.ok) {
      for (const [marker, outcome] of outcomesIn(batch, result.answer))
        outcomes.set(marker, outcome)
    } else if (result.failure.kind === 'failed') {
      if (place === 0 && !result.failure.mayHaveHappened) throw result.failure.error
      break
    }
  }
  return tasks.map(({ task }) => outcomes.get(task.marker) ?? UNKNOWN)
}

/** By marker: what became of those that the answer names. */
function outcomesIn(batch: readonly Sent[], answer: Answer): Map<string, TaskOutcome> {
  const listing = parseListing(answer.body, parseRecord)
  const outcomes = new Map<string, TaskOutcome>()
  for (const record of listing?.results ?? []) {
    const marker = markerOf(record)
    if (marker !== undefined) outcomes.set(marker, { kind: 'created', taskId: record.id })
  }
  const correlationId = answer.headers['x-hubspot-correlation-id'] ?? null
  const byMarker = new Map(batch.map(({ task }) => [task.marker, task]))
  for (const error of listing?.errors ?? []) {
    for (const marker of error.context?.['objectWriteTraceId'] ?? []) {
      const task = byMarker.get(marker)
      if (task)
        outcomes.set(marker, rejected(refusalOfError(error, answer.status, correlationId), task))
    }
  }
  return outcomes
}

function markerOf({ objectWriteTraceId, properties }: HubspotRecord): string | undefined {
  return objectWriteTraceId ?? markersIn(properties[BODY] ?? '').at(-1)
}

/** Why HubSpot does not take a task or a note, without its text. */
export function rejected(
  refusal: Refusal,
  task: Pick<CrmTask, 'subject' | 'marker' | 'body'>,
): TaskOutcome {
  const reason = describeRefusal(refusal, [task.subject, task.marker, ...task.body.split('\n')])
  const { code, category, correlationId } = refusal
  return { kind: 'rejected', reason, code: code ?? category, correlationId }
}
