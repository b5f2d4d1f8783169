import { createHash } from 'node:crypto'
import { RetryableError } from '../../src/core/errors.ts'
import { playbooksOf } from '../../src/core/playbook/playbooks-of.ts'
import type { Crm } from '../../src/core/ports/crm.ts'
import type { ActionOutcome } from '../../src/core/ports/crm-actions.ts'
import {
  type OpenAction,
  openActions,
  settleAction,
} from '../../src/infra/postgres/crm-action-store.ts'
import type { ReadScope } from './read-scope.ts'

/** Actions of one look. */
const MOST = 500
/** So long an action waits for a record to be in the CRM when its playbook is gone. */
const PATIENCE_MS = 86_400_000

/** An action whose record is in the CRM. */
type ReadyAction = OpenAction & { readonly object: 'contact' | 'company'; readonly crmId: string }

/** Does what playbooks do in the CRM besides tasks, each until it is done or the CRM says no. */
export async function doActions(scope: ReadScope): Promise<void> {
  const { context, crm, run } = scope
  const now = context.clock().getTime()
  const patience = new Map(
    playbooksOf(scope.set, crm.name).map(({ id, guards }) => [id, guards['evidence-within']]),
  )
  const ready: ReadyAction[] = []
  for (const action of await openActions(context.db, crm.name, MOST)) {
    const { crmId, object, key, createdAt } = action
    if (crmId !== null && object !== null) {
      ready.push({ ...action, crmId, object })
      continue
    }
    const playbook = key.split('|')[1] ?? ''
    if (now - createdAt.getTime() <= (patience.get(playbook) ?? PATIENCE_MS)) {
      run.count('actionsWaiting')
      continue
    }
    await refuse(scope, action, 'whom it is about is not in the CRM', null)
  }
  if (ready.length === 0) return
  const outcomes = await outcomesOf(crm, ready, scope.signal)
  let doubtful = 0
  for (const [index, action] of ready.entries()) {
    const outcome = outcomes[index] ?? { kind: 'unknown' }
    if (outcome.kind === 'unknown') doubtful += 1
    else await settle(scope, action, outcome)
  }
  if (doubtful > 0) {
    throw new RetryableError(
      `${doubtful} actions have no certain outcome; they are asked for again`,
    )
  }
}

async function outcomesOf(
  crm: Crm,
  actions: readonly ReadyAction[],
  signal: AbortSignal,
): Promise<readonly ActionOutcome[]> {
  const places = actions.map((action, index) => ({ action, index }))
  const outcomes: ActionOutcome[] = actions.map(() => ({ kind: 'unknown' }))
  const memberships = places.filter(({ action }) => action.kind !== 'event')
  const events = places.filter(({ action }) => action.kind === 'event')
  const put = (some: typeof places, answers: readonly ActionOutcome[]) => {
    for (const [at, { index }] of some.entries())
      outcomes[index] = answers[at] ?? { kind: 'unknown' }
  }
  if (memberships.length > 0) {
    put(
      memberships,
      await crm.setMemberships(
        memberships.map(({ action }) => membershipOf(action)),
        signal,
      ),
    )
  }
  if (events.length > 0) {
    const none = async () => events.map(() => NO_EVENTS)
    const send = crm.sendEvents ?? none
    put(
      events,
      await send(
        events.map(({ action }) => eventOf(action)),
        signal,
      ),
    )
  }
  return outcomes
}

const NO_EVENTS: ActionOutcome = {
  kind: 'rejected',
  reason: 'the CRM has no events of that kind',
  code: null,
  correlationId: null,
}

function membershipOf({ target, object, crmId, kind, memberStatus }: ReadyAction) {
  const act = kind === 'remove' ? 'remove' : 'add'
  return { groupId: target, object, crmId, act, status: memberStatus } as const
}

function eventOf({ key, target, object, crmId, createdAt, properties }: ReadyAction) {
  const at = createdAt.toISOString()
  return { id: uuidOf(key), name: target, object, crmId, at, properties }
}

/** The same for the same key: a UUID of version 8, whose bits are one's own. */
function uuidOf(key: string): string {
  const hex = createHash('sha256').update(key).digest('hex')
  const variant = ((Number.parseInt(hex.slice(16, 17), 16) & 3) | 8).toString(16)
  const parts = [hex.slice(0, 8), hex.slice(8, 12), `8${hex.slice(13, 16)}`]
  return [...parts, `${variant}${hex.slice(17, 20)}`, hex.slice(20, 32)].join('-')
}

async function settle(
  scope: ReadScope,
  action: ReadyAction,
  outcome: Exclude<ActionOutcome, { kind: 'unknown' }>,
): Promise<void> {
  switch (outcome.kind) {
    case 'done':
      scope.run.count('actions')
      return settleAction(scope.context.db, action.key, { state: 'done' })
    case 'missing':
      return refuse(scope, action, 'the record is gone', null)
    case 'rejected':
      return refuse(scope, action, outcome.reason, outcome.correlationId)
  }
}

async function refuse(
  { context, run }: ReadScope,
  { key }: OpenAction,
  reason: string,
  correlationId: string | null,
): Promise<void> {
  await settleAction(context.db, key, { state: 'refused', reason })
  run.note({ ref: key, outcome: 'refused', reason, correlationId })
}
