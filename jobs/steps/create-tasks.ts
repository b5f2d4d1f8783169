import { sql } from 'kysely'
import { RetryableError } from '../../src/core/errors.ts'
import type { CrmMapping } from '../../src/core/mapping/crm-mapping.ts'
import type { MappingSet } from '../../src/core/mapping/mapping-set.ts'
import type { PlaybookTask } from '../../src/core/mapping/playbook.ts'
import { playbooksOf, taskRules } from '../../src/core/playbook/playbooks-of.ts'
import type { Crm, CrmOwner, CrmTask } from '../../src/core/ports/crm.ts'
import type { Db } from '../../src/infra/postgres/database.ts'
import { mergeIntent, openTaskOf } from '../../src/infra/postgres/task-store.ts'
import type { ConnectedCrm, JobContext, RunNotes } from '../context.ts'
import { eachInFlight } from '../in-flight.ts'
import { addressTask, heirsOf, type TaskAddress } from './address-task.ts'
import { findOwner, keepOwner, type Unassigned } from './assign-intent.ts'
import { goneReasons, type TaskEpisode } from './gone-reasons.ts'
import { knownOwners } from './known-owners.ts'
import { joinNote, noteOnDeal } from './note-on-deal.ts'
import type { PlannedTask } from './planned-task.ts'
import { type SettledIntent, type Settling, setState, settleIntent } from './settle-intent.ts'

/** A task is created again at most this often before it waits for the next run. */
const ROUNDS = 3
/** Tasks that are looked up and created at a time, so that the CRM's latency does not set the pace. */
const TASKS_AT_ONCE = 8

interface Intent extends SettledIntent, TaskEpisode, Unassigned {
  readonly ownerId: string | null
  readonly assignedAt: Date | null
  readonly dealId: string | null
}

/** What creating tasks works with. */
interface Creating extends Settling {
  readonly set: MappingSet
  readonly mapping: CrmMapping
  /** Keys of those that are left alone in this run. */
  readonly waiting: Set<string>
  /** The last who waits to say whose a task is. */
  readonly turns: { last: Promise<void> }
}

/**
 * Creates the tasks that are planned, each exactly once: the intent is noted before the call, and a
 * doubtful outcome is settled by looking for the marker, never by repeating the call.
 * @param isHot leaves out accounts whose record was never read: sales may have said no there.
 */
export async function createPlannedTasks(
  context: JobContext,
  connected: ConnectedCrm,
  crm: Crm,
  set: MappingSet,
  mapping: CrmMapping,
  signal: AbortSignal,
  run: RunNotes,
  isHot = false,
): Promise<void> {
  const waiting = new Set<string>()
  const turns = { last: Promise.resolve() }
  const creating = { context, connected, crm, set, mapping, signal, run, waiting, turns }
  let owners: readonly CrmOwner[] | null = null
  const open = async () =>
    (await openIntents(context.db, crm.name, isHot)).filter(({ key }) => !waiting.has(key))
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
    return settleTask(creating, intent, toTask(intent, intent.task, intent.ownerId, address))
  }
  if (intent.state === 'noting') return noteOnDeal(creating, intent, intent.dealId ?? '', owners)
  const segment = intent.task.segment ?? 'all'
  const rules = taskRules(set, crm.name, intent.playbook, segment) ?? withoutRules(intent)
  const { dealId } = address
  if (dealId !== null && rules['open-deal'] === 'nothing') {
    return setState(db, intent, 'parked', { reason: 'the account has an open deal' })
  }
  if (dealId !== null && rules['open-deal'] === 'note') {
    if (rules['one-open'] && (await joinNote(creating, intent, dealId))) return
    return noteOnDeal(creating, intent, dealId, owners, address.owners.deal)
  }
  const task = await inTurn(creating, () => assignedTask(creating, intent, rules, address, owners))
  if (task === 'full') return wait(creating, intent, DAILY_CAP, DAILY_CAP)
  if (task) await settleTask(creating, intent, task)
}

function settleTask(creating: Creating, intent: Intent, task: CrmTask): Promise<void> {
  const { crm, signal } = creating
  const { marker, companyId, contactIds, ownerId } = task
  return settleIntent(creating, intent, {
    ...{ doubtful: 'creating', done: 'created', counted: 'tasks', told: { ownerId } },
    find: async () => {
      return (await crm.findTasks([{ marker, companyId, contactIds }], signal)).get(marker)
    },
    make: async (sending) => (await crm.createTasks([task], signal, { sending }))[0],
  })
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

async function openIntents(db: Db, crm: string, isRead: boolean): Promise<Intent[]> {
  const rows = await db
    .selectFrom('task_intent')
    .selectAll()
    .where('crm', '=', crm)
    .where('state', 'in', ['planned', 'creating', 'noting'])
    .$if(isRead, (q) =>
      q.where(
        sql<boolean>`exists (select from crm_read r where r.ref = account_ref and r.crm = task_intent.crm)`,
      ),
    )
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
    dealId: row.deal_id,
    qualifiedAt: row.qualified_at,
    marker: row.marker,
    state: row.state,
    task: row.task as PlannedTask,
    settleAfter: row.settle_after,
    createdAt: row.created_at,
  }))
}
