import { canaryProperty } from '../../src/core/canary/canary.ts'
import { canonicalJson } from '../../src/core/canonical-json.ts'
import { ageAtArrival } from '../../src/core/freshness/age.ts'
import type { CrmMapping, ObjectMapping } from '../../src/core/mapping/crm-mapping.ts'
import type { MappingSet } from '../../src/core/mapping/mapping-set.ts'
import type { Model } from '../../src/core/mapping/model.ts'
import type { CrmObject } from '../../src/core/ports/crm.ts'
import { createExplainer } from '../../src/core/scoring/explain.ts'
import type { Score } from '../../src/core/scoring/score.ts'
import {
  changedProperties,
  type DesiredRecord,
  desiredRecord,
  leftRecord,
} from '../../src/core/sync/desired-record.ts'
import type { Speaker, SubjectFacts } from '../../src/core/sync/fields.ts'
import { readEffective } from '../../src/infra/mappings/published.ts'
import { readBeat } from '../../src/infra/postgres/canary-store.ts'
import {
  type CrmRecordRow,
  recordsOf,
  storeDesired,
  type WantedRecord,
} from '../../src/infra/postgres/crm-record-store.ts'
import type { Db } from '../../src/infra/postgres/database.ts'
import { type Facts, populationAfter, readFacts } from '../../src/infra/postgres/desire-subjects.ts'
import {
  type DueRecord,
  noteDue,
  qualifiedAmong,
} from '../../src/infra/postgres/freshness-store.ts'
import { readPropertyTraits } from '../../src/infra/postgres/property-traits.ts'
import {
  type Arrivals,
  clearTouched,
  readTouched,
  type Touched,
} from '../../src/infra/postgres/touched.ts'
import { requestTouched, requestWork } from '../../src/infra/postgres/work.ts'
import { connectedCrms, type JobContext, type StepHandler, TOUCHED } from '../context.ts'
import { planPlaybooks } from './plan-playbooks.ts'
import { type ScoreReader, type Spoken, speakers } from './speakers.ts'

/** What it should say is worked out even before it is connected, so that it can be looked at. */
const FIRST_CRM = 'hubspot'

/** Subjects that are looked at together: so long nothing else of this process has its turn. */
const SLICE = 100

/**
 * Works out what CRM records should say, and which tasks they should hold: of whoever was touched, or of everybody. Who is
 * qualified and was touched comes first, and is handed on before the rest is looked at. Each slice of subjects is stored
 * for itself; who is interrupted looks at all of them again.
 */
export const desire: StepHandler = async (context, _key, params, signal, run) => {
  const { db } = context
  const { set } = await readEffective(db)
  const touched = await readTouched(db, 'desire')
  const first = await qualifiedAmong(db, touched.subjects)
  const pass = { context, set, touched, signal, speaks: voices() }
  const urgent = await lookAt(pass, [...first].sort())
  if (isNews(urgent)) await run.wakeNext?.()
  const rest = touched.subjects.filter((id) => !first.has(id)).sort()
  const others = await lookAt(pass, params === TOUCHED ? rest : null)
  await clearTouched(db, touched)
  return sumOf(urgent, others)
}

interface Pass {
  readonly context: JobContext
  readonly set: MappingSet
  readonly touched: Touched
  readonly signal: AbortSignal
  readonly speaks: (model: Model) => Speaker
}

const isNews = ({ changed, tasks }: Wanted): boolean => changed + tasks > 0

/** What came of a look at some subjects, in counts. */
type Wanted = Readonly<Record<'records' | 'changed' | 'tasks', number>>

const sumOf = (a: Wanted, b: Wanted): Wanted => ({
  records: a.records + b.records,
  changed: a.changed + b.changed,
  tasks: a.tasks + b.tasks,
})

/**
 * Looks at some subjects, or at everybody, and asks each CRM to be made so. Of those who were touched a CRM is asked only
 * where something came of it.
 */
async function lookAt(pass: Pass, among: readonly string[] | null): Promise<Wanted> {
  const { context, set, signal, speaks } = pass
  const { db } = context
  let total: Wanted = { records: 0, changed: 0, tasks: 0 }
  if (among?.length === 0) return total
  for (const [crm, mapping] of set.crms) {
    // The mapping of a CRM that nobody has connected is only there to be used one day.
    const isConnected = connectedCrms(context).has(crm)
    if (crm !== FIRST_CRM && !isConnected) continue
    let own: Wanted = { records: 0, changed: 0, tasks: 0 }
    for (const [object, rules] of objectsOf(mapping)) {
      const slices = among ? cut(among) : slicesOf(db, crm, object, rules)
      for await (const refs of slices) {
        signal.throwIfAborted()
        const scope = { db, set, crm, object, rules, speaks, now: context.clock() }
        own = sumOf(own, await lookAtSlice(pass, crm, scope, refs))
      }
    }
    // Nothing is due, and nothing starts, where nobody is told of it.
    if (!isConnected) {
      total = sumOf(total, own)
      continue
    }
    const now = context.clock()
    const tasks = await db.transaction().execute(async (tx) => {
      const { arrivals } = pass.touched
      const { publicUrl } = context
      const look = { tx, set, crm, mapping, now, publicUrl, arrivals, among }
      const planned = await planPlaybooks(look)
      const isAsked = among === null || isNews({ ...own, tasks: planned.tasks })
      // Who was touched waits for nobody who is asked about everything.
      const ask = among === null ? requestWork : requestTouched
      if (isAsked) await ask(tx, 'reconcile', crm)
      return planned.tasks
    })
    total = sumOf(total, { ...own, tasks })
  }
  return total
}

async function lookAtSlice(
  { context, touched: { arrivals } }: Pass,
  crm: string,
  scope: DesireScope,
  refs: readonly string[],
): Promise<Wanted> {
  const { db, clock } = context
  const before = await recordsOf(db, crm, refs)
  const wanted = await wantedOf(scope, refs, before)
  const changed = wanted.filter(({ record }) => differs(record, before.get(record.ref)))
  if (changed.length > 0) {
    await db.transaction().execute(async (tx) => {
      await storeDesired(
        tx,
        crm,
        changed.map(({ record }) => record),
      )
      const due = changed.flatMap((one) => dueOf(one, arrivals, clock()))
      if (connectedCrms(context).has(crm)) await noteDue(tx, crm, due)
    })
  }
  return { records: wanted.length, changed: changed.length, tasks: 0 }
}

/** What is due because something arrived; what changed with time, or is history, is not. */
function dueOf({ record, score }: WantedOf, arrivals: Arrivals, now: Date): DueRecord[] {
  const { ref, object } = record
  const arrivedAt = arrivals.of(ref)
  if (arrivedAt === null || score === null) return []
  const ageMs = ageAtArrival(score.facts.lastActive, now, Date.now() - arrivedAt.getTime())
  if (ageMs === null) return []
  return [{ ref, object, qualified: score.usageStatus === 'qualified', arrivedAt, ageMs }]
}

function* cut(refs: readonly string[]): Generator<readonly string[]> {
  for (let at = 0; at < refs.length; at += SLICE) yield refs.slice(at, at + SLICE)
}

export async function* slicesOf(
  db: Db,
  crm: string,
  object: CrmObject,
  { model: models }: ObjectMapping,
): AsyncGenerator<readonly string[]> {
  let after = ''
  for (;;) {
    const refs = await populationAfter(db, { crm, object, models }, after, SLICE)
    const last = refs.at(-1)
    if (last === undefined) return
    yield refs
    if (refs.length < SLICE) return
    after = last
  }
}

export interface DesireScope {
  readonly db: Db
  readonly set: MappingSet
  readonly crm: string
  readonly now: Date
  readonly object: CrmObject
  readonly rules: ObjectMapping
  readonly speaks: (model: Model) => Speaker
  /** The stored ones when left out. */
  readonly scores?: ScoreReader | undefined
}

/** What one record should say, and the score that says so; null when none does any more. */
interface WantedOf {
  readonly record: WantedRecord
  readonly score: Score | null
}

/** What the records of some subjects should say: of who has a score, and of who had one. */
export async function wantedOf(
  { db, set, crm, object, rules, speaks, now, scores }: DesireScope,
  refs: readonly string[],
  before: ReadonlyMap<string, CrmRecordRow>,
): Promise<WantedOf[]> {
  const spoken = await speakers(db, set, rules, refs, scores)
  const facts = await readFacts(db, spoken.flatMap(named), set.identity['domain-aliases'])
  const beat = object === 'contact' ? await readBeat(db, crm) : null
  const traits = await readPropertyTraits(db, crm, rules, refs, now)
  const wanted: WantedOf[] = []
  for (const { score, model } of spoken) {
    const subject = withChampion(facts, score)
    if (!subject) continue
    const told = traits.get(score.subjectId)
    const desired = withCanary(
      desiredRecord(rules, subject, score, speaks(model), told),
      rules,
      beat,
    )
    const companyRef = object === 'contact' ? facts.accountOf(score.subjectId) : null
    wanted.push({ record: { ...desired, object, companyRef }, score })
  }
  const has = new Set(wanted.map(({ record }) => record.ref))
  const left = [...before.values()].filter((row) => !has.has(row.ref) && row.object === object)
  return [
    ...wanted,
    ...left.map((row) => ({
      record: { ...leftRecord(rules, row), object, companyRef: row.companyRef },
      score: null,
    })),
  ]
}

/** The canary's own record says besides when it was let go. */
function withCanary(
  desired: DesiredRecord,
  rules: ObjectMapping,
  beat: Awaited<ReturnType<typeof readBeat>>,
): DesiredRecord {
  const property = beat?.personId === desired.ref ? canaryProperty(rules) : null
  if (beat === null || property === null) return desired
  return { ...desired, properties: { ...desired.properties, [property]: beat.token } }
}

/** Whom a score names. */
function named({ score: { subjectId, facts } }: Spoken): string[] {
  return [subjectId, ...(facts.championId === null ? [] : [facts.championId]), ...facts.otherIds]
}

/** Companies first: their contacts name them. */
function objectsOf(mapping: CrmMapping): [CrmObject, ObjectMapping][] {
  const { company, contact } = mapping.objects
  const objects: [CrmObject, ObjectMapping][] = []
  if (company) objects.push(['company', company])
  if (contact) objects.push(['contact', contact])
  return objects
}

/** The words of each model, made once. */
export function voices(): (model: Model) => Speaker {
  const known = new Map<Model, Speaker>()
  return (model) => {
    const speaker = known.get(model) ?? {
      name: `${model.id} v${model.version}`,
      explainer: createExplainer(model),
    }
    known.set(model, speaker)
    return speaker
  }
}

function differs(
  record: DesiredRecord & { companyRef: string | null },
  row?: CrmRecordRow,
): boolean {
  if (!row) return true
  return (
    changedProperties(record.properties, row.desired) !== null ||
    Object.keys(row.desired).length !== Object.keys(record.properties).length ||
    row.mayCreate !== record.mayCreate ||
    row.onLeave !== record.onLeave ||
    row.urgent !== record.urgent ||
    row.companyRef !== record.companyRef ||
    canonicalJson(row.lookup) !== canonicalJson(lookupOf(record)) ||
    canonicalJson(row.onCreate) !== canonicalJson(record.onCreate)
  )
}

function lookupOf({ emails, domains, thorough }: DesiredRecord) {
  return { emails, domains, thorough }
}

function withChampion(facts: Facts, score: Score): SubjectFacts | null {
  const subject = facts.subject(score.subjectId)
  const championId = score.facts.championId
  if (!subject) return null
  const told = (id: string) => facts.subject(id)?.email ?? id
  const champion = championId === null ? null : told(championId)
  return { ...subject, champion, others: score.facts.otherIds.map(told) }
}
