import { setTimeout as sleep } from 'node:timers/promises'
import { RetryableError } from '../../src/core/errors.ts'
import type { CrmMapping } from '../../src/core/mapping/crm-mapping.ts'
import type { MappingSet } from '../../src/core/mapping/mapping-set.ts'
import type { Crm, CrmOwner, CrmTask } from '../../src/core/ports/crm.ts'
import type { Db } from '../../src/infra/postgres/database.ts'
import { readDealsOf } from '../../src/infra/postgres/deal-store.ts'
import { noteTaskInCrm } from '../../src/infra/postgres/freshness-store.ts'
import type { ConnectedCrm, JobContext, RunNotes } from '../context.ts'
import { eachInFlight } from '../in-flight.ts'
import { goneReasons, type TaskEpisode } from './gone-reasons.ts'
import { knownOwners } from './known-owners.ts'
import type { PlannedTask } from './plan-tasks.ts'

/** A doubtful create is looked for no earlier than the call's deadline plus this. */
const MARGIN_MS = 2_000
/** A task is created again at most this often before it waits for the next run. */
const ROUNDS = 3
/** Tasks that are looked up and created at a time, so that the CRM's latency does not set the pace. */
const TASKS_AT_ONCE = 8

interface Intent extends TaskEpisode {
  readonly marker: string
  readonly state: string
  readonly task: PlannedTask
  readonly settleAfter: Date | null
  readonly createdAt: Date
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
  let owners: readonly CrmOwner[] | null = null
  const waiting = new Set<string>()
  const open = async () =>
    (await openIntents(context.db, crm.name)).filter(({ key }) => !waiting.has(key))
  for (let round = 0; round < ROUNDS; round++) {
    const intents = await open()
    if (intents.length === 0) return
    const known: readonly CrmOwner[] = owners ?? (await knownOwners(context, crm, signal))
    owners = known
    const gone = await goneReasons(context.db, set, mapping, intents)
    await eachInFlight(intents, TASKS_AT_ONCE, async (intent) => {
      const reason = gone.get(intent.key)
      if (intent.state === 'planned' && reason !== undefined) {
        await setState(context.db, intent, 'parked', { reason })
        return
      }
      const task = await addressTask(context.db, crm, mapping, known, intent, signal)
      if (task === null && isWorthWaiting(intent, mapping, context.clock())) {
        // The company is about to be linked, parked for a while, or on its way to another account.
        waiting.add(intent.key)
        run.count('tasksWaiting')
        return
      }
      if (task === null) {
        await setState(context.db, intent, 'parked', { reason: 'its company is not in the CRM' })
        const reason = 'the company of its account is not in the CRM'
        run.note({ ref: intent.key, outcome: 'parked', reason, correlationId: null })
        return
      }
      await settleIntent(context, connected, crm, intent, task, signal, run)
    })
  }
  const left = (await open()).length
  if (left > 0)
    throw new RetryableError(`${left} tasks have no certain outcome; they are looked for`)
}

/** As long as the behaviour that the task is about is fresh. */
function isWorthWaiting(
  { qualifiedAt, createdAt }: Intent,
  { tasks }: CrmMapping,
  now: Date,
): boolean {
  const since = qualifiedAt ?? createdAt
  return now.getTime() - since.getTime() <= (tasks?.['evidence-within'] ?? 0)
}

async function settleIntent(
  context: JobContext,
  connected: ConnectedCrm,
  crm: Crm,
  intent: Intent,
  task: CrmTask,
  signal: AbortSignal,
  run: RunNotes,
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
    accountRef: row.account_ref,
    qualifiedAt: row.qualified_at,
    marker: row.marker,
    state: row.state,
    task: row.task as PlannedTask,
    settleAfter: row.settle_after,
    createdAt: row.created_at,
  }))
}

/** Fills in the CRM's ids and the owner: the company's if active, else the declared fall-back. */
async function addressTask(
  db: Db,
  crm: Crm,
  mapping: CrmMapping,
  owners: readonly CrmOwner[],
  intent: Intent,
  signal: AbortSignal,
): Promise<CrmTask | null> {
  // The account of now: the one that was planned for may have become another since.
  const { accountRef } = intent
  const { accountRef: _, personRefs: planned, ...told } = intent.task
  const personRefs = await heirsOf(db, planned)
  const rows = await db
    .selectFrom('crm_record')
    .select(['ref', 'crm_id'])
    .where('crm', '=', crm.name)
    .where('ref', 'in', [accountRef, ...personRefs])
    .execute()
  const ids = new Map(rows.map((row) => [row.ref, row.crm_id]))
  const companyId = ids.get(accountRef) ?? null
  const contactIds = personRefs.flatMap((ref) => ids.get(ref) ?? [])
  const isAboutPeople = crm.tasksOnPeople === true && contactIds.length > 0
  if (companyId === null && !isAboutPeople) return null
  const lookup = (ref: string) => ({ ref, key: ref, emails: [], domains: [] })
  const [found] =
    companyId === null
      ? await crm.find('contact', personRefs.slice(0, 1).map(lookup), signal)
      : await crm.find('company', [lookup(accountRef)], signal)
  const active = owners.filter((owner) => owner.active)
  const fallback = mapping.tasks?.['fallback-owner']
  const owner =
    active.find((o) => o.id === found?.[0]?.ownerId) ??
    active.find((o) => fallback !== undefined && o.email === fallback)
  return {
    ...told,
    marker: intent.marker,
    ownerId: owner?.id ?? null,
    companyId,
    contactIds,
    dealId: await openDealId(db, crm.name, mapping, accountRef),
  }
}

/** Who stands for these people now, each once. */
async function heirsOf(db: Db, personIds: readonly string[]): Promise<readonly string[]> {
  if (personIds.length === 0) return []
  const rows = await db
    .selectFrom('person_alias')
    .select(['id', 'person_id'])
    .where('id', 'in', [...personIds])
    .execute()
  const heirs = new Map(rows.map((row) => [row.id, row.person_id]))
  return [...new Set(personIds.map((id) => heirs.get(id) ?? id))]
}

/** The newest open deal of the account; null where deals are not read. */
async function openDealId(
  db: Db,
  crm: string,
  { deals }: CrmMapping,
  account: string,
): Promise<string | null> {
  if (!deals) return null
  const all = await readDealsOf(db, crm, [account], deals.pipelines)
  return all.get(account)?.find(({ state }) => state === 'open')?.id ?? null
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
