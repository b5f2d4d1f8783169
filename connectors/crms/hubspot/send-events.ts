import type { ActionOutcome, CrmEvent } from '../../../src/core/ports/crm-actions.ts'
import { describeRefusal } from './refusal.ts'
import { type Session, sendSettled } from './session.ts'
import { cut } from './to-wire.ts'
import type { CallResult } from './transport.ts'

/** HubSpot's limit for a text of an event, in characters. */
const MOST_TEXT = 1_024

/**
 * Sends custom events one by one: only a call about one can be judged by its answer. HubSpot keeps one of each UUID, so that
 * a call in doubt may be made again. Throws only while nothing was sent.
 */
export async function sendEvents(
  session: Session,
  events: readonly CrmEvent[],
  signal: AbortSignal,
): Promise<ActionOutcome[]> {
  const outcomes: ActionOutcome[] = events.map(() => ({ kind: 'unknown' }))
  for (const [position, event] of events.entries()) {
    const result = await sendSettled(session, callOf(session, event), signal)
    outcomes[position] = outcomeOf(result, event)
    if (result.ok || result.failure.kind === 'refused') continue
    if (position === 0 && !result.failure.mayHaveHappened) throw result.failure.error
    return outcomes
  }
  return outcomes
}

function callOf(session: Session, { id, name, crmId, at, properties }: CrmEvent) {
  const json = {
    ...{ uuid: id, eventName: name, objectId: crmId, occurredAt: at },
    properties: Object.fromEntries(
      Object.entries(properties).map(([one, text]) => [one, cut(text, MOST_TEXT)]),
    ),
  }
  return {
    kind: 'write',
    idempotent: true,
    endpoint: 'POST events/send',
    invoke: (options: Parameters<typeof session.apis.raw.send>[1]) =>
      session.apis.raw.send({ method: 'POST', path: '/events/v3/send', json }, options),
  } as const
}

function outcomeOf(result: CallResult, { name, properties }: CrmEvent): ActionOutcome {
  if (result.ok) return { kind: 'done' }
  if (result.failure.kind === 'failed') return { kind: 'unknown' }
  const { refusal } = result.failure
  const { code, category, correlationId } = refusal
  const reason = `event ${name}: ${describeRefusal(refusal, Object.values(properties))}`
  return { kind: 'rejected', reason, code: code ?? category, correlationId }
}
