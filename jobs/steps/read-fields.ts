import { createHash } from 'node:crypto'
import { canonicalJson } from '../../src/core/canonical-json.ts'
import { ConfigError } from '../../src/core/errors.ts'
import type { CrmMapping, ObjectMapping } from '../../src/core/mapping/crm-mapping.ts'
import { readPlaces } from '../../src/core/mapping/read-places.ts'
import type { Crm, CrmObject } from '../../src/core/ports/crm.ts'
import { dispositionSource } from '../../src/core/scoring/told-by.ts'
import { markRefsStale } from '../../src/infra/postgres/crm-change-store.ts'
import {
  type DueRead,
  type MovedRecord,
  noteGone,
  noteMoved,
  noteOwners,
  noteReads,
  type SeenOwner,
  staleReads,
  stillDue,
} from '../../src/infra/postgres/crm-read-store.ts'
import { readTurns } from '../../src/infra/postgres/crm-seen-store.ts'
import type { Db } from '../../src/infra/postgres/database.ts'
import { storeSeenSales } from '../../src/infra/postgres/sales-store.ts'
import { storeSeenTraits } from '../../src/infra/postgres/trait-store.ts'
import { touchAbout } from '../../src/infra/postgres/trait-subjects.ts'
import { requestWork } from '../../src/infra/postgres/work.ts'
import type { JobContext, RunNotes } from '../context.ts'
import { dueToRead, noteCompared } from './due-to-read.ts'
import { fitOf } from './reconcile-scope.ts'
import { answersIn, type Since, salesIn, textOf, traitsIn, type Values } from './said-in-fields.ts'
import { ownProperties, pulledProperties, seeOwnFields } from './see-own-fields.ts'

/** Records that are read and stored together: five calls of HubSpot. */
const SLICE = 500
/** Most records of one object in one run, so that a large portal does not hold up what is to be written. */
const MOST = 10_000
const mostOf = ({ readsAtOnce = 0 }: Crm): number => Math.max(MOST, readsAtOnce)

/** What is asked of one object of a CRM. */
export interface Asked {
  readonly object: CrmObject
  readonly rules: ObjectMapping
  readonly properties: readonly string[]
  /** Names the question: another one is asked of everybody at once. */
  readonly name: string
}

/**
 * Reads what the mapping wants to know from the records that are due: traits and the sales status. What
 * changed is stored, and whom it is about is marked for scoring.
 * @returns why an object could not be read, for the caller to throw in the end; null when all is well.
 */
export async function readFields(
  context: Pick<JobContext, 'db' | 'clock'>,
  crm: Crm,
  mapping: CrmMapping,
  signal: AbortSignal,
  run: RunNotes,
): Promise<ConfigError | null> {
  const { db } = context
  return readDue({ context, crm, signal, run }, mapping, async (asked, now) => {
    const question = { crm: crm.name, asked, mapping, now, limit: mostOf(crm) }
    const due = await dueToRead(db, question)
    await noteCompared(db, question, due)
    return due
  })
}

/** The same for those of which something was told since they were read. */
export async function readStale(
  context: Pick<JobContext, 'db' | 'clock'>,
  crm: Crm,
  mapping: CrmMapping,
  signal: AbortSignal,
  run: RunNotes,
): Promise<ConfigError | null> {
  return readDue({ context, crm, signal, run }, mapping, ({ object }) =>
    staleReads(context.db, { crm: crm.name, object, limit: mostOf(crm) }),
  )
}

async function readDue(
  scope: Omit<ReadScope, 'asked' | 'own'>,
  mapping: CrmMapping,
  dueNow: (asked: Asked, now: Date) => Promise<readonly DueRead[]>,
): Promise<ConfigError | null> {
  const { context, crm, signal } = scope
  const problems: string[] = []
  for (const asked of askedOf(mapping)) {
    const now = context.clock()
    const due = await dueNow(asked, now)
    if (due.length === 0) continue
    const known = await crm.propertyNames(asked.object, signal)
    const missing = missingProperties(crm, asked, known)
    problems.push(...missing)
    if (missing.length > 0) continue
    // A property of ours that somebody deleted is mended by whoever writes, and not emptied everywhere.
    const own = ownProperties(asked.rules).filter((name) => known.has(name))
    const size = crm.readsAtOnce ?? SLICE
    for (let at = 0; at < due.length; at += size) {
      await readSome({ ...scope, asked, own }, due.slice(at, at + size), now)
    }
  }
  return problems.length > 0 ? new ConfigError(problems.join('\n')) : null
}

/** True when a record of a CRM is due to be read. */
export async function hasDueReads(
  db: Db,
  crm: string,
  mapping: CrmMapping,
  now: Date,
): Promise<boolean> {
  for (const asked of askedOf(mapping)) {
    const question = { crm, asked, mapping, now, limit: 1 }
    if ((await dueToRead(db, question)).length > 0) return true
  }
  return false
}

/** What is read of an object: what the mapping wants to know, and whose the record is. */
export function wantedProperties(
  { ownerProperty }: Pick<Crm, 'ownerProperty'>,
  { properties }: Asked,
): readonly string[] {
  return ownerProperty === undefined ? properties : [...new Set([...properties, ownerProperty])]
}

/** What a mapping wants to know, by object; nothing of an object that it reads nothing of. */
export function askedOf({ objects }: CrmMapping): Asked[] {
  const all: [CrmObject, ObjectMapping | undefined][] = [
    ['company', objects.company],
    ['contact', objects.contact],
  ]
  return all.flatMap(([object, rules]) => {
    if (!rules) return []
    const pulled = pulledProperties(rules)
    const named = [...readPlaces(rules).map(({ property }) => property), ...pulled]
    const properties = [...new Set(named)].sort()
    if (properties.length + Object.keys(rules.properties).length === 0) return []
    const { read: traits, 'sales-status': sales = null, disposition } = rules
    const more = [...(disposition ? [disposition] : []), ...pulled]
    const question = canonicalJson([traits, sales, ...more])
    const name = createHash('sha256').update(question).digest('hex').slice(0, 16)
    return [{ object, rules, properties, name }]
  })
}

/** A property that is not there reads as empty: everybody would lose what it said. */
function missingProperties(
  crm: Crm,
  { object, rules, properties }: Asked,
  known: ReadonlySet<string>,
): string[] {
  const places = new Map(
    [...readPlaces(rules)].reverse().map(({ property, path }) => [property, path.join('.')]),
  )
  return properties
    .filter((property) => !known.has(property))
    .map(
      (property) =>
        `${crm.name} has no property ${property} on its ${object} records; correct objects.${object}.${places.get(property) ?? `properties.${property}`} in ${crm.name}.yaml, or create the property there`,
    )
}

interface ReadScope {
  readonly context: Pick<JobContext, 'db' | 'clock'>
  readonly crm: Crm
  readonly asked: Asked
  /** Properties of ours that are there. */
  readonly own: readonly string[]
  readonly signal: AbortSignal
  readonly run: RunNotes
}

async function readSome(scope: ReadScope, due: readonly DueRead[], now: Date): Promise<void> {
  const { context, crm, asked, run } = scope
  const refs = due.map(({ ref }) => ref)
  const turns = await readTurns(context.db, crm.name, refs)
  const first = await read(scope, due)
  const moved = await followMoved(
    scope,
    due.filter(({ crmId }) => !first.has(crmId)),
  )
  // That they were moved we have noted ourselves.
  const movedTurns = await readTurns(
    context.db,
    crm.name,
    moved.map(({ ref }) => ref),
  )
  const turnsNow = new Map([...turns, ...movedTurns])
  const values = new Map([...first, ...(await read(scope, moved))])
  const newIds = new Map(moved.map(({ ref, crmId }) => [ref, crmId]))
  const all = due.map((one) => ({ ...one, crmId: newIds.get(one.ref) ?? one.crmId }))
  const since = await readSince(scope, all, values)
  const fitted = await fitOf(crm, asked.object, scope.signal)
  const { read: readNow, changed } = await context.db.transaction().execute(async (tx) => {
    const ours = await stillDue(tx, crm.name, due)
    const reads = all.filter(({ ref }) => ours.has(ref))
    const { rules } = asked
    const seeing = { crm: crm.name, rules, reads, values, turns: turnsNow, fitted }
    const own = await seeOwnFields(tx, seeing, run, now)
    const said = { rules, reads, values, since }
    const traits = await storeSeenTraits(tx, crm.name, traitsIn(said, own), now)
    const sales = await storeSeenSales(tx, crm.name, salesIn(said), now)
    const answers = await storeSeenSales(tx, dispositionSource(crm.name), answersIn(said), now)
    const done = doneOf(wantedProperties(crm, asked), reads, values)
    await noteReads(tx, { crm: crm.name, asked: asked.name }, done, now)
    await markRefsStale(tx, { crm: crm.name, object: asked.object }, [...own.overtaken])
    if (crm.ownerProperty !== undefined) {
      await noteOwners(tx, crm.name, ownersIn(crm.ownerProperty, reads, values))
    }
    const gone = reads.filter(({ crmId }) => !values.has(crmId))
    if ((await noteGone(tx, crm.name, gone)) > 0) await requestWork(tx, 'reconcile', crm.name)
    const abouts = [...new Set([...traits, ...sales, ...answers])]
    await touchAbout(tx, abouts)
    return { read: reads.length, changed: abouts.length }
  })
  run.count('fieldsRead', readNow)
  run.count('fieldsChanged', changed)
}

/** When what changed was said, where the CRM tells; nobody is asked about records that say what they said. */
async function readSince(
  { crm, asked, signal }: ReadScope,
  reads: readonly DueRead[],
  values: Values,
): Promise<Since> {
  const wanted = wantedProperties(crm, asked)
  const changed = reads.flatMap(({ crmId, before }) => {
    const read = values.get(crmId)
    if (!read || seenHash(wanted, read) === before) return []
    const isSilent =
      before === null && asked.properties.every((name) => textOf(read[name]) === null)
    return isSilent ? [] : [crmId]
  })
  if (!crm.setAt || changed.length === 0) return new Map()
  return crm.setAt(asked.object, changed, asked.properties, signal)
}

function ownersIn(property: string, reads: readonly DueRead[], values: Values): SeenOwner[] {
  return reads.flatMap(({ ref, crmId }) => {
    const read = values.get(crmId)
    return read ? [{ ref, crmId, ownerId: textOf(read[property]) }] : []
  })
}

function doneOf(properties: readonly string[], reads: readonly DueRead[], values: Values) {
  return reads.flatMap((one) => {
    const read = values.get(one.crmId)
    return read ? [{ ...one, seen: seenHash(properties, read) }] : []
  })
}

/** Stands for what a record says, without saying it. */
export function seenHash(
  properties: readonly string[],
  values: Readonly<Record<string, string | null>>,
): string {
  const said = JSON.stringify(properties.map((name) => values[name] || null))
  return createHash('sha256').update(said).digest('hex').slice(0, 16)
}

async function read(scope: ReadScope, due: readonly MovedRecord[]): Promise<Values> {
  if (due.length === 0) return new Map()
  const ids = due.map(({ crmId }) => crmId)
  const properties = [...new Set([...wantedProperties(scope.crm, scope.asked), ...scope.own])]
  return scope.crm.read(scope.asked.object, ids, properties, scope.signal)
}

/** A record that is not there any more may have been merged into another, which the CRM names, or has our key then. */
async function followMoved(
  { context, crm, asked, signal }: ReadScope,
  gone: readonly DueRead[],
): Promise<readonly MovedRecord[]> {
  if (gone.length === 0) return []
  const ids = gone.map(({ crmId }) => crmId)
  const heirs = await crm.movedTo?.(asked.object, ids, signal)
  const lost = gone.filter(({ crmId }) => !heirs?.has(crmId))
  const lookups = lost.map(({ ref }) => ({
    ...{ ref, key: ref, emails: [], domains: [] },
    thorough: false,
  }))
  const found = lookups.length > 0 ? await crm.find(asked.object, lookups, signal) : []
  const moved = [
    ...gone.map(({ ref, crmId }) => ({ ref, crmId, to: heirs?.get(crmId) })),
    ...lost.map(({ ref, crmId }, index) => ({ ref, crmId, to: found[index]?.[0]?.crmId })),
  ].flatMap(({ ref, crmId, to }) => (to === undefined || to === crmId ? [] : [{ ref, crmId: to }]))
  return context.db.transaction().execute(async (tx) => {
    const noted = await noteMoved(tx, crm.name, asked.object, moved)
    // Where it lies now, what it should say was never written.
    if (noted.length > 0) await requestWork(tx, 'reconcile', crm.name)
    return noted
  })
}
