import { setTimeout as sleep } from 'node:timers/promises'
import { canonicalJson } from '../../src/core/canonical-json.ts'
import { ConfigError, RetryableError } from '../../src/core/errors.ts'
import type { CrmMapping, ObjectMapping } from '../../src/core/mapping/crm-mapping.ts'
import type { CrmObject } from '../../src/core/ports/crm.ts'
import { crmSetup } from '../../src/core/sync/crm-setup.ts'
import { readEffective } from '../../src/infra/mappings/published.ts'
import { hasHot } from '../../src/infra/postgres/freshness-store.ts'
import { openDueHolds, takeRules } from '../../src/infra/postgres/parked-store.ts'
import type { ConnectedCrm, JobContext, StepHandler } from '../context.ts'
import { createPlannedTasks } from './create-tasks.ts'
import { doActions } from './do-actions.ts'
import { hashOf } from './field-edits.ts'
import { followTasks } from './follow-tasks.ts'
import { knownOwners } from './known-owners.ts'
import { linkCompanies } from './link-companies.ts'
import type { WhoseTasks } from './open-intents.ts'
import { provisionOnce } from './provision-once.ts'
import { readDeals } from './read-deals.ts'
import { readFields } from './read-fields.ts'
import { readFirstContacts } from './read-first-contacts.ts'
import type { ReadScope } from './read-scope.ts'
import { reconcileObject } from './reconcile-object.ts'
import { isShared } from './reconcile-scope.ts'
import { seeAccount } from './right-account.ts'
import { seeCompanies } from './see-companies.ts'

/** Makes the records and tasks of one CRM say what they should. */
export const reconcile: StepHandler = async (context, name, _params, signal, run) => {
  const connected = context.crms.get(name)
  if (!connected?.connect) {
    const variables = connected?.variables ?? 'its variables'
    throw new ConfigError(`${name} is not connected; set ${variables}`)
  }
  const { set } = await readEffective(context.db)
  const mapping = set.crms.get(name)
  if (!mapping) throw new ConfigError(`${name}.yaml is missing in the mapping folder`)
  const { company } = mapping.objects
  const crm = connected.connect(crmSetup(mapping))
  await seeAccount(context.db, crm, signal)
  await provisionOnce(context, crm, mapping, signal, run)
  await openDueHolds(context.db, name, context.clock())
  for (const [object, rules] of objectsOf(mapping)) {
    await takeRules(context.db, { crm: name, object, hash: hashOf(canonicalJson(rules)) })
  }
  const reading = { context, crm, set, mapping, signal, run }
  await hotFirst(reading, connected)
  await writeBesideHot(reading, connected)
  const unread = await readFields(context, crm, mapping, signal, run)
  const unreadOwners = await readOrTell(async () => void (await knownOwners(context, crm, signal)))
  const unreadDeals = await readOrTell(() => readDeals(reading))
  if (company) await seeCompanies(context, crm, signal, run)
  await linkCompanies(context.db, crm, signal, run)
  await createPlannedTasks(context, connected, crm, set, mapping, signal, run)
  await followTasks(reading)
  const undone = await readOrTell(() => doActions(reading))
  const unreadContacts = await readOrTell(() => readFirstContacts(reading))
  // Last: what cannot be read keeps nobody from being written.
  const unreadable = [unread, unreadOwners, unreadDeals, undone, unreadContacts].filter(
    (problem) => problem !== null,
  )
  if (unreadable.length > 0) throw joinedProblems(unreadable)
  return {}
}

/** What a run works with. */
interface Reconciling extends ReadScope {
  readonly context: JobContext
}

async function writeRecords(
  { context, crm, mapping, signal, run }: Reconciling,
  isHot = false,
): Promise<void> {
  for (const [object, rules] of objectsOf(mapping)) {
    // Whoever comes first goes on at once; the others' records are nothing to wait for.
    await reconcileObject(
      { context, crm, object, rules, signal, run, isHot },
      isHot ? 'leave' : 'wait',
    )
  }
}

/**
 * Who is qualified and did something just now, before all others: their records and tasks. What has no certain outcome keeps
 * nobody waiting, and comes again with the others.
 */
async function hotFirst(scope: Reconciling, connected: ConnectedCrm): Promise<void> {
  const { context, crm, set, mapping, signal, run } = scope
  if (!(await hasHot(context.db, crm.name))) return
  try {
    const tasks = (whose: WhoseTasks) =>
      createPlannedTasks(context, connected, crm, set, mapping, signal, run, whose)
    // Most are in the CRM for long: their tasks need not wait for their fields.
    const ends = await Promise.allSettled([writeRecords(scope, true), tasks('there')])
    for (const end of ends) if (end.status === 'rejected') throw end.reason
    await tasks('read')
  } catch (error) {
    if (!(error instanceof RetryableError) || signal.aborted) throw error
    run.count('hotAgain')
  }
}

/** How often it is looked, while many records are written, whether somebody has become hot. */
const LOOK_EVERY_MS = 1_000

/** Writes all records, and meanwhile those first who have just been qualified: a backfill keeps nobody waiting whom a rep should call. */
async function writeBesideHot(scope: Reconciling, connected: ConnectedCrm): Promise<void> {
  if (!isShared(scope.crm)) return writeRecords(scope)
  const over = new AbortController()
  const watching = watchHot(scope, connected, over.signal).then(
    () => null,
    (error: unknown) => ({ error }),
  )
  try {
    await writeRecords(scope)
  } finally {
    over.abort()
    await watching
  }
  const failed = await watching
  if (failed) throw failed.error
}

async function watchHot(
  scope: Reconciling,
  connected: ConnectedCrm,
  over: AbortSignal,
): Promise<void> {
  for (;;) {
    await sleep(LOOK_EVERY_MS, undefined, { signal: over }).catch(() => {})
    if (over.aborted) return
    await hotFirst(scope, connected)
  }
}

/** What needs a person, such as a scope that is missing, is told in the end. */
async function readOrTell(read: () => Promise<void>): Promise<ConfigError | null> {
  try {
    await read()
    return null
  } catch (error) {
    if (error instanceof ConfigError) return error
    throw error
  }
}

function joinedProblems(problems: readonly ConfigError[]): ConfigError {
  const [first, ...others] = problems
  if (first && others.length === 0) return first
  return new ConfigError(problems.map(({ message }) => message).join('\n'), { cause: first })
}

/** Companies first: their contacts name them. */
export function objectsOf(mapping: CrmMapping): [CrmObject, ObjectMapping][] {
  const objects: CrmObject[] = ['company', 'contact']
  return objects.flatMap((object) => {
    const rules = mapping.objects[object]
    return rules ? [[object, rules] as [CrmObject, ObjectMapping]] : []
  })
}
