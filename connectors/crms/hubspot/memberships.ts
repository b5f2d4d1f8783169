import { z } from 'zod'
import type { ActionOutcome, CrmMembership } from '../../../src/core/ports/crm-actions.ts'
import type { CallFailure } from './classify-error.ts'
import { describeRefusal } from './refusal.ts'
import { chunks, type Session, sendSettled } from './session.ts'

/** HubSpot tells no limit for one call: stay with that of the records. */
const MAX_MEMBERS = 100
const id = z.union([z.string(), z.number()]).transform(String)
const answerShape = z.object({ recordIdsMissing: z.array(id).catch([]) })

type Placed = readonly [position: number, membership: CrmMembership]

/**
 * Puts records into static lists and takes them out. Who is in a list already, or is not, is left alone, so that a call in
 * doubt may be made again. Throws only while nothing was sent.
 */
export async function setMemberships(
  session: Session,
  memberships: readonly CrmMembership[],
  signal: AbortSignal,
): Promise<ActionOutcome[]> {
  const outcomes: ActionOutcome[] = memberships.map(() => ({ kind: 'unknown' }))
  let isUnderWay = false
  for (const some of runsOf(memberships)) {
    const failure = await change(session, some, outcomes, signal)
    if (failure?.kind === 'failed') {
      if (!failure.mayHaveHappened && !isUnderWay) throw failure.error
      return outcomes
    }
    isUnderWay = true
  }
  return outcomes
}

/** Neighbours of one list and act; the order of what is asked for stays. */
function runsOf(memberships: readonly CrmMembership[]): Placed[][] {
  const runs: Placed[][] = []
  for (const placed of memberships.entries()) {
    const run = runs.at(-1)
    const last = run?.[0]?.[1]
    const isSame = last?.groupId === placed[1].groupId && last.act === placed[1].act
    if (run && isSame) run.push(placed)
    else runs.push([placed])
  }
  return runs.flatMap((run) => chunks(run, MAX_MEMBERS))
}

async function change(
  session: Session,
  some: readonly Placed[],
  outcomes: ActionOutcome[],
  signal: AbortSignal,
): Promise<CallFailure | null> {
  const [first] = some
  if (!first) return null
  const { groupId, act } = first[1]
  const json = [...new Set(some.map(([, { crmId }]) => crmId))]
  const path = `/crm/v3/lists/${encodeURIComponent(groupId)}/memberships/${act}`
  const result = await sendSettled(
    session,
    {
      kind: 'write',
      idempotent: true,
      endpoint: `PUT lists/memberships/${act}`,
      invoke: (options) => session.apis.raw.send({ method: 'PUT', path, json }, options),
    },
    signal,
  )
  if (result.ok) {
    const { data } = answerShape.safeParse(result.answer.body)
    const missing = new Set(data?.recordIdsMissing)
    for (const [position, { crmId }] of some) {
      if (data) outcomes[position] = { kind: missing.has(crmId) ? 'missing' : 'done' }
    }
    return null
  }
  if (result.failure.kind === 'refused') {
    const { refusal } = result.failure
    const { code, category, correlationId } = refusal
    const why = refusal.status === 404 ? 'HubSpot has no such list' : describeRefusal(refusal, [])
    const reason = `list ${groupId}: ${why}`
    for (const [position] of some) {
      outcomes[position] = { kind: 'rejected', reason, code: code ?? category, correlationId }
    }
  }
  return result.failure
}
