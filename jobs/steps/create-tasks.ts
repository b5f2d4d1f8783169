import { setTimeout as sleep } from 'node:timers/promises'
import { RetryableError } from '../../src/core/errors.ts'
import type { CrmMapping } from '../../src/core/mapping/crm-mapping.ts'
import type { MappingSet } from '../../src/core/mapping/mapping-set.ts'
import type { PlaybookTask } from '../../src/core/mapping/playbook.ts'
import { playbooksOf, taskRules } from '../../src/core/playbook/playbooks-of.ts'
import type { Crm, CrmOwner, CrmTask } from '../../src/core/ports/crm.ts'
import type { Db } from '../../src/infra/postgres/database.ts'
import { noteTaskInCrm } from '../../src/infra/postgres/freshness-store.ts'
import { mergeIntent, openTaskOf } from '../../src/infra/postgres/task-store.ts'
import type { ConnectedCrm, JobContext, RunNotes } from '../context.ts'
import { eachInFlight } from '../in-flight.ts'
import { addressTask, heirsOf, type TaskAddress } from './address-task.ts'
import { findOwner, keepOwner, type Unassigned } from './assign-intent.ts'
import { goneReasons, type TaskEpisode } from './gone-reasons.ts'
import { knownOwners } from './known-owners.ts'
import type { PlannedTask } from './planned-task.ts'

/** A doubtful create is looked for no earlier than the call's deadline plus this. */
const MARGIN_MS = 2_000
/** A task is created again at most this often before it waits for the next run. */
const ROUNDS = 3
/** Tasks that are looked up and created at a time, so that the CRM's latency does not set the pace. */
const TASKS_AT_ONCE = 8

interface Intent extends TaskEpisode, Unassigned {
  readonly marker: string
  readonly state: string
  readonly ownerId: string | null
  readonly assignedAt: Date | null
  readonly settleAfter: Date | null
}

/** What creating tasks works with. */
interface Creating {
  readonly context: JobContext
  readonly connected: ConnectedCrm
  readonly crm: Crm
  readonly set: MappingSet
  readonly mapping: CrmMapping
  readonly signal: AbortSignal
  readonly run: RunNotes
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
  context: JobContext,
  connected: ConnectedCrm,
  crm: Crm,
  set: MappingSet,
  mapping: CrmMapping,
  signal: AbortSignal,
  run: RunNotes,
): Promise<void> {
  const waiting = new Set<string>()
  const turns = { last: Promise.resolve() }
  const creating = { context, connected, crm, set, mapping, signal, run, waiting, turns }
  let owners: readonly CrmOwner[] | null = null
  const open = async () =>
    (await openIntents(context.db, crm.name)).filter(({ key }) => !waiting.has(key))
  for (let round = 0; round < ROUNDS; round++) {
    const intents = await open()
    if (intents.length === 0) return
    const known: readonly CrmOwner[] = owners ?? (await knownOwners(context, crm, signal))
    owners = known
    const gone = await goneReasons(context.db, set, mapping, intents)
    // What an account's task becomes depends on the one before.
    await eachInFlight(byAccount(intents), TASKS_AT_ONCE, async (lane) => {
      for (const intent of lane) {
        const reason = gone.get(intent.key)
        if (intent.state === 'planned' && reason !== undefined) {
          await setState(context.db, intent, 'parked', { reason })
          continue
        }
        await createOne(creating, intent, known)
      }
    })
  }
  const left = (await open()).length
  if (left > 0)
    throw new RetryableError(`${left} tasks have no certain outcome; they are looked for`)
}

async function createOne(
  creating: Creating,
  intent: Intent,
  owners: readonly CrmOwner[],
): Promise<void> {
  const { context, crm, mapping, set, signal } = creating
  const { db } = context
  const about = { ...intent, personRefs: intent.task.personRefs }
  const address = await addressTask(db, crm, mapping, about, signal)
  if (address === null) {
    return wait(creating, intent, 'its company is not in the CRM', NO_COMPANY)
  }
  if (intent.state === 'creating') {
    return settleIntent(creating, intent, toTask(intent, intent.task, intent.ownerId, address))
  }
  const segment = intent.task.segment ?? 'all'
  const rules = taskRules(set, crm.name, intent.playbook, segment) ?? withoutRules(intent)
  if (address.dealId !== null && rules['open-deal'] === 'nothing') {
    return setState(db, intent, 'parked', { reason: 'the account has an open deal' })
  }
  const task = await inTurn(creating, () => assignedTask(creating, intent, rules, address, owners))
  if (task === 'full') return wait(creating, intent, DAILY_CAP, DAILY_CAP)
  if (task) await settleIntent(creating, intent, task)
}

function byAccount(intents: readonly Intent[]): Iterable<readonly Intent[]> {
  const lanes = new Map<string, Intent[]>()
  for (const intent of intents) {
    const lane = lanes.get(intent.accountRef)
    if (lane) lane.push(intent)
    else lanes.set(intent.accountRef, [intent])
  }
  return lanes.values()
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
const DAILY_CAP = 'whoever could have it has had enough tasks for the day'

/** Whose playbook is gone is the account owner's. */
function withoutRules({ task }: Intent): PlaybookTask {
  const { subject, body, priority, type = 'to-do' } = task
  const rest = { 'due-in': 0, 'one-open': true, 'when-gone': 'leave', 'open-deal': 'task' } as const
  return { ...{ subject, body, priority, type }, ...rest, assign: ['account-owner'] }
}

/** The task with its owner; null when another one has taken it in. */
async function assignedTask(
  { context, crm, run }: Creating,
  intent: Intent,
  rules: PlaybookTask,
  address: TaskAddress,
  owners: readonly CrmOwner[],
): Promise<CrmTask | 'full' | null> {
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
  const other = rules['one-open']
    ? await openTaskOf(db, crm.name, intent.accountRef, ownerId)
    : null
  if (other !== null) {
    const personRefs = await heirsOf(db, intent.task.personRefs)
    await mergeIntent(db, { ...intent, personRefs }, other, now)
    run.count('tasksMerged')
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

async function settleIntent(
  { context, connected, crm, signal, run }: Creating,
  intent: Intent,
  task: CrmTask,
): Promise<void> {
  if (intent.state === 'creating') {
    await sleep(Math.max(0, (intent.settleAfter?.getTime() ?? 0) - Date.now()), undefined, {
      signal,
    })
    const { marker, companyId, contactIds } = task
    const found = await crm.findTasks([{ marker, companyId, contactIds }], signal)
    const taskId = found.get(marker)
    if (taskId === undefined) {
      await setState(context.db, intent, 'planned', {})
      return
    }
    await setState(context.db, intent, 'created', { taskId })
    await noteTaskInCrm(context.db, crm.name, intent.key)
    run.count('tasks')
    return
  }
  let settleAt = 0
  const creating = async () => {
    settleAt = Math.max(settleAt, Date.now() + connected.callTimeoutMs + MARGIN_MS)
    const told = { settleAfter: new Date(settleAt), ownerId: task.ownerId }
    await setState(context.db, intent, 'creating', told)
  }
  await creating()
  // Said once more when it is sent: pacing may have taken longer than the call's own deadline.
  const sent = crm.createTasks([task], signal, { sending: creating })
  const [outcome] = await sent.catch(async (error: unknown) => {
    // It throws only while nothing was sent: there is nothing to look for.
    await setState(context.db, intent, 'planned', {})
    throw error
  })
  if (outcome?.kind === 'created') {
    await setState(context.db, intent, 'created', { taskId: outcome.taskId })
    await noteTaskInCrm(context.db, crm.name, intent.key)
    run.count('tasks')
    return
  }
  if (outcome?.kind === 'rejected') {
    await setState(context.db, intent, 'parked', { reason: outcome.reason })
    const { reason, correlationId } = outcome
    run.note({ ref: intent.key, outcome: 'parked', reason, correlationId })
    return
  }
  // Where nobody said when it was sent, it may have been just now.
  const settleAfter = new Date(Math.max(settleAt, Date.now() + MARGIN_MS))
  await setState(context.db, intent, 'creating', { settleAfter, ownerId: task.ownerId })
}

async function openIntents(db: Db, crm: string): Promise<Intent[]> {
  const rows = await db
    .selectFrom('task_intent')
    .selectAll()
    .where('crm', '=', crm)
    .where('state', 'in', ['planned', 'creating'])
    .orderBy('created_at')
    .orderBy('key')
    .execute()
  return rows.map((row) => ({
    key: row.key,
    crm: row.crm,
    playbook: row.playbook,
    accountRef: row.account_ref,
    personRef: row.person_ref,
    segment: (row.task as PlannedTask).segment ?? 'all',
    ownerId: row.owner_id,
    assignedAt: row.assigned_at,
    qualifiedAt: row.qualified_at,
    marker: row.marker,
    state: row.state,
    task: row.task as PlannedTask,
    settleAfter: row.settle_after,
    createdAt: row.created_at,
  }))
}

async function setState(
  db: Db,
  intent: Intent,
  state: 'planned' | 'creating' | 'created' | 'parked',
  more: { taskId?: string; reason?: string; settleAfter?: Date; ownerId?: string | null },
): Promise<void> {
  await db
    .updateTable('task_intent')
    .set({
      state,
      crm_task_id: more.taskId ?? null,
      reason: more.reason ?? null,
      settle_after: more.settleAfter ?? null,
      ...(more.ownerId === undefined ? {} : { owner_id: more.ownerId }),
    })
    .where('key', '=', intent.key)
    .execute()
}
