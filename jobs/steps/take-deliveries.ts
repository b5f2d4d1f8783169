import type { CrmMapping, ObjectMapping } from '../../src/core/mapping/crm-mapping.ts'
import type { ChangedObject, Crm, CrmObject } from '../../src/core/ports/crm.ts'
import type { CrmSignal, CrmTeller, Signals } from '../../src/core/ports/crm-webhook.ts'
import { isOurs, plainText } from '../../src/core/sync/ledger.ts'
import { agrees } from '../../src/core/sync/next-write.ts'
import {
  anyMissed,
  lookAgain,
  lookAtCompanies,
  markStale,
  pollTwice,
  type TurnedUp,
} from '../../src/infra/postgres/crm-change-store.ts'
import {
  accountOf,
  dropErased,
  erasedAmong,
  nodesBehind,
  noteMergers,
  noteTaken,
  openDeliveries,
} from '../../src/infra/postgres/crm-delivery-store.ts'
import { recordsSaying, type SayingRecord } from '../../src/infra/postgres/crm-seen-store.ts'
import type { Tx } from '../../src/infra/postgres/database.ts'
import { askToForget, receiptInWork, tellReceipt } from '../../src/infra/postgres/forget-store.ts'
import {
  lookAtAllDeals,
  lookAtAllTasks,
  lookAtDeals,
  lookAtTasks,
} from '../../src/infra/postgres/look-store.ts'
import type { JobContext, RunNotes } from '../context.ts'
import { hashOf } from './field-edits.ts'
import { askedOf, wantedProperties } from './read-fields.ts'
import { ownProperties } from './see-own-fields.ts'

/** What happened so shortly before it was missed may be told later by those who are asked. */
const SETTLED_MS = 3 * 60_000

/** Deliveries that are taken together: up to a hundred events of HubSpot each. */
const SLICE = 100

const OBJECTS: readonly CrmObject[] = ['company', 'contact']

interface TakeScope {
  readonly context: Pick<JobContext, 'db' | 'clock'>
  readonly crm: Crm
  readonly teller: CrmTeller
  readonly mapping: CrmMapping
  readonly signal: AbortSignal
  readonly run: RunNotes
}

/**
 * Makes of what a CRM told records that are looked at again. Whatever a delivery claims, nothing is taken
 * from it but that: they come late, twice, in any order or not at all.
 */
export async function takeDeliveries(scope: TakeScope): Promise<void> {
  const { context, crm, teller, signal, run } = scope
  for (;;) {
    const deliveries = await openDeliveries(context.db, crm.name, SLICE)
    if (deliveries.length === 0) return
    const account = await accountOf(context.db, crm.name, () => crm.accountId(signal))
    const parsed = deliveries.map(({ body }) => teller.parse(body))
    const all = parsed.flatMap(({ signals }) => signals)
    const ours = all.filter((one) => isOfAccount(one, account))
    const turnedUp = await readTurnedUp(scope, ours)
    await context.db.transaction().execute(async (tx) => {
      run.count('forgotten', await forgetErased(tx, crm.name, ours))
      for (const object of OBJECTS) await takeSignals(tx, scope, object, ours, turnedUp)
      await takeOutcomes(tx, scope, ours)
      await askForMissed(tx, scope, parsed)
      await noteTaken(tx, deliveries)
    })
    run.count('deliveries', deliveries.length)
    run.count('signals', ours.length)
    const ignored = parsed.reduce((sum, one) => sum + one.ignored, all.length - ours.length)
    run.count('signalsIgnored', ignored)
  }
}

/** Nobody is deleted for a message that does not say whose it is. */
function isOfAccount({ account, kind }: CrmSignal, ours: string): boolean {
  return account === null ? kind !== 'erased' : account === ours
}

/** Of what nobody told, whatever changed is asked for, and once more when that is surely complete. */
async function askForMissed(
  tx: Tx,
  { context, crm }: TakeScope,
  told: readonly Signals[],
): Promise<void> {
  const missed = new Set(told.flatMap((one) => one.missed ?? []))
  const again = new Date(context.clock().getTime() + SETTLED_MS)
  for (const object of OBJECTS) {
    if (missed.has(object)) await pollTwice(tx, crm.name, object, again)
  }
  if (missed.has('deal')) await lookAtAllDeals(tx, crm.name)
  if (missed.has('task')) await lookAtAllTasks(tx, crm.name)
}

/** Whom the CRM deleted on her own demand is forgotten here too. */
async function forgetErased(tx: Tx, crm: string, signals: readonly CrmSignal[]): Promise<number> {
  const ids = await erasedIds(tx, crm, signals)
  if (ids.length === 0) return 0
  let asked = 0
  const behind = await nodesBehind(tx, { crm, object: 'contact' }, ids)
  const left = await dropErased(tx, { crm, object: 'contact' }, ids)
  for (const [personId, nodes] of behind) {
    const known = await receiptInWork(tx, nodes)
    const receipt = known ?? (await askToForget(tx, nodes))
    if (known === null) asked++
    // What was made of her between the two messages is the CRM's to erase.
    const own = left.filter((one) => one.personId === personId)
    const inCrm = own.map(({ crm, object, id }) => ({ crm, object, id, todo: 'erase' as const }))
    if (inCrm.length > 0) await tellReceipt(tx, receipt, { inCrm })
  }
  return asked
}

/** The ids that were deleted for good, and those that were merged into one: nobody says in which order. */
async function erasedIds(
  tx: Tx,
  crm: string,
  signals: readonly CrmSignal[],
): Promise<readonly string[]> {
  const erased = idsOf(signals, 'contact', ({ kind }) => kind === 'erased')
  const left = signals.flatMap(({ object, mergedInto }) =>
    object === 'contact' && mergedInto !== null ? [mergedInto] : [],
  )
  const known = await erasedAmong(tx, { crm, object: 'contact' }, left)
  const gone = new Set([...erased, ...known])
  const isGone = ({ mergedInto }: CrmSignal) => mergedInto !== null && gone.has(mergedInto)
  return [...new Set([...erased, ...idsOf(signals, 'contact', isGone)])]
}

async function takeSignals(
  tx: Tx,
  { crm, mapping, run }: TakeScope,
  object: CrmObject,
  signals: readonly CrmSignal[],
  turnedUp: ReadonlyMap<CrmObject, TurnedUp>,
): Promise<void> {
  const told = { crm: crm.name, object }
  const asked = askedOf(mapping).find((one) => one.object === object)
  const wanted = asked ? wantedProperties(crm, asked) : []
  const own = asked ? ownProperties(asked.rules) : []
  const isOwn = ({ kind, property }: CrmSignal) =>
    kind === 'changed' && property !== null && own.includes(property)
  const known = await recordsSaying(tx, told, idsOf(signals, object, isOwn))
  let echoes = 0
  const isLookedAt = (signal: CrmSignal) => {
    const { kind, property } = signal
    if (kind === 'associated' || kind === 'created') return false
    // What nobody reads or writes may change as it likes.
    if (kind !== 'changed' || property === null || wanted.includes(property)) return true
    if (!isOwn(signal) || signal.object !== object) return false
    const isEcho = isOurWrite(signal, property, known.get(signal.crmId))
    echoes += Number(isEcho)
    return !isEcho
  }
  const mergers = signals.flatMap(({ crmId, mergedInto, ...one }) =>
    one.object === object && mergedInto !== null ? [{ crmId, mergedInto }] : [],
  )
  await noteMergers(tx, told, mergers)
  await markStale(tx, told, idsOf(signals, object, isLookedAt))
  if (echoes > 0) run.count('echoes', echoes)
  const again = turnedUp.get(object)
  if (again) await lookAgain(tx, told, again)
  if (object !== 'contact') return
  const moved = idsOf(signals, object, ({ kind }) => kind === 'associated')
  if (moved.length > 0) await lookAtCompanies(tx, crm.name, moved)
}

/**
 * True when a property of ours is said to have become what we know it to say, or wrote last: whoever it was, there is
 * nothing to be done. What the CRM says of the source of a change is not looked at.
 */
function isOurWrite(
  { value }: CrmSignal,
  property: string,
  record: SayingRecord | undefined,
): boolean {
  if (value === undefined || !record) return false
  const { says, ledger } = record
  const said = says?.[property]
  if (said !== undefined) return agrees(said, value)
  return isOurs(ledger[property] ?? {}, hashOf(plainText(value)))
}

/**
 * Deals and tasks have no reading of their own: they are read by the records that they belong to. Of a deal
 * that is new only the records tell that it was put on.
 */
async function takeOutcomes(
  tx: Tx,
  { crm, mapping }: TakeScope,
  signals: readonly CrmSignal[],
): Promise<void> {
  const deals = idsOf(signals, 'deal', () => true)
  if (mapping.deals && deals.length > 0) {
    const isJoined = ({ kind }: CrmSignal) => kind === 'associated'
    const ends = signals.some((one) => one.object === 'deal' && isJoined(one))
      ? OBJECTS.flatMap((object) => idsOf(signals, object, isJoined))
      : []
    await lookAtDeals(tx, crm.name, deals, ends)
  }
  const tasks = idsOf(signals, 'task', () => true)
  if (tasks.length > 0) await lookAtTasks(tx, crm.name, tasks)
}

/** What is on records that appeared, where we look for some in vain. */
async function readTurnedUp(
  { context, crm, mapping, signal }: TakeScope,
  signals: readonly CrmSignal[],
): Promise<ReadonlyMap<CrmObject, TurnedUp>> {
  const turnedUp = new Map<CrmObject, TurnedUp>()
  for (const object of OBJECTS) {
    const rules = mapping.objects[object]
    const ids = idsOf(signals, object, isAppearance)
    if (!rules || ids.length === 0) continue
    if (!(await anyMissed(context.db, { crm: crm.name, object }))) continue
    const names = naturalProperties(rules)
    const properties = [rules.key.property, ...names]
    const values = [...(await crm.read(object, ids, properties, signal)).values()]
    turnedUp.set(object, {
      keys: values.flatMap((one) => one[rules.key.property] ?? []),
      names: values.flatMap((one) => names.flatMap((name) => one[name]?.toLowerCase() ?? [])),
    })
  }
  return turnedUp
}

const isAppearance = ({ kind, crmId, mergedInto }: CrmSignal): boolean =>
  kind === 'created' || kind === 'restored' || (kind === 'merged' && mergedInto === crmId)

/** The CRM's own properties for what a record is recognised by, as far as the mapping names them. */
function naturalProperties(rules: ObjectMapping): string[] {
  return Object.entries(rules['on-create']).flatMap(([name, field]) =>
    field === 'email' || field === 'domain' ? [name] : [],
  )
}

function idsOf(
  signals: readonly CrmSignal[],
  object: ChangedObject,
  isWanted: (signal: CrmSignal) => boolean,
): string[] {
  const wanted = signals.filter((one) => one.object === object && isWanted(one))
  return [...new Set(wanted.map(({ crmId }) => crmId))]
}
