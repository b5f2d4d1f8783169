import { RetryableError } from '../../src/core/errors.ts'
import type { CrmMapping } from '../../src/core/mapping/crm-mapping.ts'
import type { MappingSet } from '../../src/core/mapping/mapping-set.ts'
import type { PlaybookTask } from '../../src/core/mapping/playbook.ts'
import { takesTurns } from '../../src/core/playbook/assign.ts'
import { playbooksOf, taskRules } from '../../src/core/playbook/playbooks-of.ts'
import type { Crm, CrmOwner, CrmTask } from '../../src/core/ports/crm.ts'
import { openTaskOf } from '../../src/infra/postgres/task-store.ts'
import type { RunNotes } from '../context.ts'
import { eachInFlight } from '../in-flight.ts'
import { addressTasks, type TaskAddress } from './address-task.ts'
import { findOwner, keepOwner } from './assign-intent.ts'
import { goneReasons } from './gone-reasons.ts'
import { knownOwners } from './known-owners.ts'
import { joinNote, noteOnDeal } from './note-on-deal.ts'
import { type Intent, openIntents, type WhoseTasks } from './open-intents.ts'
import { keepRemainder, withoutOptedOut } from './opted-out.ts'
import type { PlannedTask } from './planned-task.ts'
import { type ReadyTask, sendTasks, settleTask } from './send-tasks.ts'
import { type Settling, setState } from './settle-intent.ts'
import { takeIn } from './take-in.ts'

/** A task is created again at most this often before it waits for the next run. */
const ROUNDS = 3
/** Tasks that are looked up and created at a time, so that the CRM's latency does not set the pace. */
const TASKS_AT_ONCE = 8
/** Accounts whose records are looked up at a time: one call of HubSpot for each kind of record. */
const SLICE = 100
/** From so many accounts on their tasks are sent together. */
const BATCH_FROM = 5

/** What is known of playbooks, and of the models whose scores stand behind tasks. */
type Playbooks = Pick<MappingSet, 'crms' | 'models' | 'playbooks'>

/** What creating tasks works with. */
interface Creating extends Settling {
  readonly set: Playbooks
  readonly mapping: CrmMapping
  /** Keys of those that are left alone in this run. */
  readonly waiting: Set<string>
  /** The last who waits to say whose a task is. */
  readonly turns: { last: Promise<void> }
}

/**
 * Creates the tasks that are planned, each exactly once: the intent is noted before the call, and a
 * doubtful outcome is settled by looking for the marker, never by repeating the call.
 */
export async function createPlannedTasks(
  context: Creating['context'],
  connected: Creating['connected'],
  crm: Crm,
  set: Playbooks,
  mapping: CrmMapping,
  signal: AbortSignal,
  run: RunNotes,
  whose: WhoseTasks = 'all',
): Promise<void> {
  const waiting = new Set<string>()
  const turns = { last: Promise.resolve() }
  const creating = { context, connected, crm, set, mapping, signal, run, waiting, turns }
  let owners: readonly CrmOwner[] | null = null
  const open = async () =>
    (await openIntents(context.db, crm.name, whose)).filter(({ key }) => !waiting.has(key))
  for (let round = 0; round < ROUNDS; round++) {
    const intents = await open()
    if (intents.length === 0) return
    const known: readonly CrmOwner[] = owners ?? (await knownOwners(context, crm, signal))
    owners = known
    const gone = await goneReasons(context.db, set, mapping, intents)
    const planned = intents.filter(({ state }) => state === 'planned')
    const left = await withoutOptedOut(context.db, set, crm.name, planned, context.clock())
    const real: Intent[] = []
    for (const intent of intents) {
      const reason = intent.state === 'planned' ? gone.get(intent.key) : undefined
      const task = left.get(intent.key)
      if (reason !== undefined) await setState(context.db, intent, 'parked', { reason })
      else if (task === null) await setState(context.db, intent, 'parked', { reason: OPTED_OUT })
      else if (task === undefined) real.push(intent)
      else {
        await keepRemainder(context.db, intent.key, task)
        real.push({ ...intent, task })
      }
    }
    for (const some of slicesOf(real)) await createSome(creating, some, known, round === 0)
  }
  const left = (await open()).length
  if (left > 0)
    throw new RetryableError(`${left} tasks have no certain outcome; they are looked for`)
}

async function createSome(
  creating: Creating,
  lanes: readonly (readonly Intent[])[],
  owners: readonly CrmOwner[],
  isFirst: boolean,
): Promise<void> {
  const { context, crm, mapping, signal } = creating
  const intents = lanes.flat()
  const about = intents.map((intent) => ({ ...intent, personRefs: intent.task.personRefs }))
  const all = await addressTasks(context.db, crm, mapping, about, signal)
  const addresses = new Map(intents.map(({ key }, i) => [key, all[i] ?? null]))
  const ready = (intent: Intent) =>
    readyTask(creating, intent, addresses.get(intent.key) ?? null, owners)
  const firsts = lanes.flatMap(([intent]) => (intent?.state === 'planned' ? [intent] : []))
  // What comes to nothing in a batch is sent alone afterwards: it may be the fault of another one.
  const together = isFirst && firsts.length >= BATCH_FROM ? firsts : []
  const batch: ReadyTask[] = []
  await eachInFlight(together, TASKS_AT_ONCE, async (intent) => {
    batch.push(...(await ready(intent)))
  })
  if (batch.length > 0) await sendTasks(creating, batch)
  const done = new Set(together.map(({ key }) => key))
  await eachInFlight(lanes, TASKS_AT_ONCE, async (lane) => {
    for (const intent of lane) {
      if (done.has(intent.key)) continue
      for (const one of await ready(intent)) {
        await (intent.state === 'creating' ? settleTask(creating, one) : sendTasks(creating, [one]))
      }
    }
  })
}

/** A task with all that it needs, in a list; an empty one when it is not to be sent now, or no more, or a note took its place. */
async function readyTask(
  creating: Creating,
  intent: Intent,
  address: TaskAddress | null,
  owners: readonly CrmOwner[],
): Promise<readonly ReadyTask[]> {
  const { context, crm, set } = creating
  const { db } = context
  if (address === null) {
    await wait(creating, intent, 'its company is not in the CRM', NO_COMPANY)
    return []
  }
  if (intent.state === 'creating') {
    return [{ intent, task: toTask(intent, intent.task, intent.ownerId, address) }]
  }
  if (intent.state === 'noting') {
    await noteOnDeal(creating, intent, intent.dealId ?? '', owners)
    return []
  }
  const segment = intent.task.segment ?? 'all'
  const rules = taskRules(set, crm.name, intent.playbook, segment) ?? withoutRules(intent)
  const { dealId } = address
  if (dealId !== null && rules['open-deal'] === 'nothing') {
    await setState(db, intent, 'parked', { reason: 'the account has an open deal' })
    return []
  }
  if (dealId !== null && rules['open-deal'] === 'note') {
    const isJoined = isJoinable(rules, intent) && (await joinNote(creating, intent, dealId))
    if (!isJoined) await noteOnDeal(creating, intent, dealId, owners, address.owners.deal)
    return []
  }
  const assign = () => assignedTask(creating, intent, rules, address, owners)
  const task = await (takesTurns(rules) ? inTurn(creating, assign) : assign())
  if (task === 'full') await wait(creating, intent, DAILY_CAP, DAILY_CAP)
  return task === null || task === 'full' ? [] : [{ intent, task }]
}

/**
 * Tasks whose records are looked up together, those of one account in one lane: what its task becomes depends on the one before.
 */
function* slicesOf(intents: readonly Intent[]): Generator<readonly (readonly Intent[])[]> {
  const lanes = new Map<string, Intent[]>()
  for (const intent of intents) {
    const lane = lanes.get(intent.accountRef)
    if (lane) lane.push(intent)
    else lanes.set(intent.accountRef, [intent])
  }
  const all = [...lanes.values()]
  for (let at = 0; at < all.length; at += SLICE) yield all.slice(at, at + SLICE)
}

/** One after the other: whose the next task is depends on whose the last one was. */
async function inTurn<T>({ turns }: Creating, work: () => Promise<T>): Promise<T> {
  const result = turns.last.then(work)
  turns.last = result.then(
    () => {},
    () => {},
  )
  return result
}

const NO_COMPANY = 'the company of its account is not in the CRM'
const OPTED_OUT = 'whom it is about has opted out'
const DAILY_CAP = 'whoever could have it has had enough tasks for the day'

/** Whose playbook is gone is the account owner's. */
function withoutRules({ task }: Intent): PlaybookTask {
  const { subject, body, priority, type = 'to-do' } = task
  const rest = { 'due-in': 0, 'one-open': true, 'when-gone': 'leave', 'open-deal': 'task' } as const
  return { ...{ subject, body, priority, type }, ...rest, assign: ['account-owner'] }
}

/** What came back from a task that ended is taken in by no other one: it would come back again. */
const isJoinable = (rules: PlaybookTask, { isReturned }: Intent): boolean =>
  rules['one-open'] && !isReturned

/** The task with its owner; null when another one has taken it in, or may do so soon. */
async function assignedTask(
  creating: Creating,
  intent: Intent,
  rules: PlaybookTask,
  address: TaskAddress,
  owners: readonly CrmOwner[],
): Promise<CrmTask | 'full' | null> {
  const { context, crm } = creating
  const { db } = context
  const now = context.clock()
  const isThere = owners.some(({ id, active }) => active && id === intent.ownerId)
  if (intent.assignedAt !== null && (intent.ownerId === null || isThere)) {
    return toTask(intent, intent.task, intent.ownerId, address)
  }
  const found = await findOwner(db, intent, rules, address, owners, now)
  if (found.kind === 'full') return 'full'
  const owner = found.kind === 'assigned' ? found.owner : null
  const ownerId = owner?.id ?? null
  const other = isJoinable(rules, intent)
    ? await openTaskOf(db, crm.name, intent.accountRef, ownerId)
    : null
  // Nobody knows yet whether it is there: the next look does.
  if (other?.state === 'creating') return null
  if (other !== null) {
    await takeIn(creating, intent, other.key)
    return null
  }
  const by = found.kind === 'assigned' ? found : { by: 'nobody', credits: null }
  const task = await keepOwner(db, intent, rules, owner, by, now)
  return toTask(intent, task, ownerId, address)
}

function toTask(
  { marker }: Intent,
  task: PlannedTask,
  ownerId: string | null,
  { companyId, contactIds, dealId }: TaskAddress,
): CrmTask {
  const { accountRef: _, personRefs: _refs, segment: _segment, reason: _reason, ...told } = task
  return { ...told, marker, ownerId, companyId, contactIds, dealId }
}

/** Waits for what is on its way, as long as the behaviour that the task is about is fresh. */
async function wait(
  { context, run, set, crm, waiting }: Creating,
  intent: Intent,
  reason: string,
  told: string,
): Promise<void> {
  const rules = playbooksOf(set, crm.name).find(({ id }) => id === intent.playbook)
  const since = intent.qualifiedAt ?? intent.createdAt
  const ageMs = context.clock().getTime() - since.getTime()
  if (ageMs <= (rules?.guards['evidence-within'] ?? 0)) {
    waiting.add(intent.key)
    run.count('tasksWaiting')
    return
  }
  await setState(context.db, intent, 'parked', { reason })
  run.note({ ref: intent.key, outcome: 'parked', reason: told, correlationId: null })
}
