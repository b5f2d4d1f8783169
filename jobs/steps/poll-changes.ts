import { ConfigError } from '../../src/core/errors.ts'
import type { CrmMapping } from '../../src/core/mapping/crm-mapping.ts'
import type { ChangePage, Crm, CrmChange } from '../../src/core/ports/crm.ts'
import { agrees } from '../../src/core/sync/next-write.ts'
import {
  type Followed,
  type FollowedTo,
  type KnownRecord,
  knownRecords,
  lookAgain,
  markAllStale,
  markRefsStale,
  readFollowed,
  storeFollowed,
} from '../../src/infra/postgres/crm-change-store.ts'
import type { Db, Tx } from '../../src/infra/postgres/database.ts'
import type { JobContext, RunNotes } from '../context.ts'
import { type Asked, askedOf, seenHash, wantedProperties } from './read-fields.ts'
import { ownProperties } from './see-own-fields.ts'

/** Pages of one object before what they told is read: some 10,000 records of HubSpot. */
const MOST_PAGES = 50

/**
 * Asks what changed since the last time, object by object, and marks what says something else than it did
 * when it was read. Times and values of a search are a signal and no more: our own writes change the one,
 * and an index that lags behind tells old ones of the other.
 * @returns whether an object has more to tell at once.
 * @throws {ConfigError} when an object could not be asked about, after the others.
 */
export async function pollChanges(
  context: Pick<JobContext, 'db' | 'clock'>,
  crm: Crm,
  mapping: CrmMapping,
  signal: AbortSignal,
  run: RunNotes,
): Promise<boolean> {
  let more = false
  let problem: ConfigError | null = null
  for (const asked of askedOf(mapping)) {
    const now = context.clock()
    const followed = followedBy(crm.name, asked)
    const to = await readFollowed(context.db, followed)
    if (!isDue(to, mapping, now)) continue
    try {
      more = (await follow({ context, crm, mapping, asked, signal, run }, to, now)) || more
    } catch (error) {
      // An object that may not be asked about keeps nobody from hearing of the other.
      if (!(error instanceof ConfigError)) throw error
      problem = error
    }
  }
  if (problem) throw problem
  return more
}

/** True when an object of a CRM is due to be asked what changed. */
export async function hasDuePoll(
  db: Db,
  crm: string,
  mapping: CrmMapping,
  now: Date,
): Promise<boolean> {
  for (const asked of askedOf(mapping)) {
    if (isDue(await readFollowed(db, followedBy(crm, asked)), mapping, now)) return true
  }
  return false
}

interface PollScope {
  readonly context: Pick<JobContext, 'db'>
  readonly crm: Crm
  readonly mapping: CrmMapping
  readonly asked: Asked
  readonly signal: AbortSignal
  readonly run: RunNotes
}

async function follow(scope: PollScope, from: FollowedTo | null, now: Date): Promise<boolean> {
  const { context, crm, mapping, asked, signal, run } = scope
  let cursor = from?.cursor ?? null
  const own = ownProperties(asked.rules)
  for (let pages = 0; pages < MOST_PAGES; pages++) {
    const key = asked.rules.key.property
    const query = {
      ...{ cursor, having: key, overlapMs: mapping['poll-overlap'] },
      properties: [key, ...new Set([...wantedProperties(crm, asked), ...own])],
    }
    const page = await crm.changedSince(asked.object, query, signal)
    const marked = await context.db.transaction().execute((tx) => takePage(tx, scope, page, now))
    run.count('changesSeen', page.changes.length)
    run.count('changesMarked', marked)
    if (!page.more) return false
    ;({ cursor } = page)
  }
  return true
}

/** Marks what a page tells anew, and remembers that it was dealt with. */
async function takePage(
  tx: Tx,
  { crm, asked }: PollScope,
  { changes, cursor, more, lost }: ChangePage,
  now: Date,
): Promise<number> {
  const followed = followedBy(crm.name, asked)
  const told = { crm: crm.name, object: asked.object }
  const known = await knownRecords(
    tx,
    followed,
    changes.map(({ crmId }) => crmId),
  )
  const byId = new Map(known.map((record) => [record.crmId, record]))
  const stale = new Set<string>()
  const keys: string[] = []
  for (const change of changes) {
    const record = byId.get(change.crmId)
    const key = change.properties?.[asked.rules.key.property]
    if (record) {
      if (record.seen === null) continue
      if (isNews(change, wantedProperties(crm, asked), record.seen) || isEdited(change, record))
        stale.add(record.ref)
    } else if (key) {
      // Ours by its key, and under another id than we know it by: merged, restored or made anew.
      stale.add(key)
      keys.push(key)
    }
  }
  if (lost) await markAllStale(tx, told)
  else await markRefsStale(tx, told, [...stale])
  if (keys.length > 0) await lookAgain(tx, told, { keys, names: [] })
  await storeFollowed(tx, followed, { cursor, polledAt: more ? null : now })
  return stale.size
}

function isNews(
  { properties, archived }: CrmChange,
  wanted: readonly string[],
  seen: string,
): boolean {
  return properties === null || archived === true || seenHash(wanted, properties) !== seen
}

/** True when a property of ours may say something else than we know it to say. */
function isEdited({ properties }: CrmChange, { says }: KnownRecord): boolean {
  return Object.entries(says ?? {}).some(
    ([name, value]) => properties && name in properties && !agrees(value, properties[name] ?? null),
  )
}

function isDue(to: FollowedTo | null, mapping: CrmMapping, now: Date): boolean {
  const every = mapping['poll-every']
  if (every === 'never') return false
  if (!to?.polledAt) return true
  if (to.againAt && to.polledAt < to.againAt && now >= to.againAt) return true
  return now.getTime() - to.polledAt.getTime() >= every
}

function followedBy(crm: string, { object, name }: Asked): Followed {
  return { crm, object, asked: name }
}
