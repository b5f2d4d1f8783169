import { canonicalJson } from '../../src/core/canonical-json.ts'
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
import {
  type CrmRecordRow,
  recordsOf,
  storeDesired,
  type WantedRecord,
} from '../../src/infra/postgres/crm-record-store.ts'
import type { Db } from '../../src/infra/postgres/database.ts'
import { type Facts, populationAfter, readFacts } from '../../src/infra/postgres/desire-subjects.ts'
import { readPropertyTraits } from '../../src/infra/postgres/property-traits.ts'
import { requestWork } from '../../src/infra/postgres/work.ts'
import type { StepHandler } from '../context.ts'
import { planPlaybooks } from './plan-playbooks.ts'
import { type Spoken, speakers } from './speakers.ts'

/** What it should say is worked out even before it is connected, so that it can be looked at. */
const FIRST_CRM = 'hubspot'

/** Subjects that are looked at together: what is held in memory at a time. */
const SLICE = 1_000

/**
 * Works out what every CRM record should say, and which tasks it should hold. Each slice of subjects is
 * stored for itself; who is interrupted looks at all of them again.
 */
export const desire: StepHandler = async (context, _key, _params, signal) => {
  const { db } = context
  const { set } = await readEffective(db)
  const counts = { records: 0, changed: 0, tasks: 0 }
  const speaks = voices()
  for (const [crm, mapping] of set.crms) {
    // The mapping of a CRM that nobody has connected is only there to be used one day.
    if (crm !== FIRST_CRM && !context.crms.get(crm)?.connect) continue
    for (const [object, rules] of objectsOf(mapping)) {
      for await (const refs of slicesOf(db, crm, object, rules)) {
        signal.throwIfAborted()
        const before = await recordsOf(db, crm, refs)
        const scope = { db, set, crm, object, rules, speaks, now: context.clock() }
        const wanted = await wantedOf(scope, refs, before)
        const changed = wanted.filter((record) => differs(record, before.get(record.ref)))
        counts.records += wanted.length
        counts.changed += changed.length
        if (changed.length > 0) {
          await db.transaction().execute((tx) => storeDesired(tx, crm, changed))
        }
      }
    }
    const now = context.clock()
    counts.tasks += await db.transaction().execute(async (tx) => {
      const { publicUrl } = context
      const planned = await planPlaybooks({ tx, set, crm, mapping, now, publicUrl })
      if (context.crms.get(crm)?.connect) await requestWork(tx, 'reconcile', crm)
      return planned.tasks
    })
  }
  return counts
}

async function* slicesOf(
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

interface DesireScope {
  readonly db: Db
  readonly set: MappingSet
  readonly crm: string
  readonly now: Date
  readonly object: CrmObject
  readonly rules: ObjectMapping
  readonly speaks: (model: Model) => Speaker
}

/** What the records of some subjects should say: of who has a score, and of who had one. */
async function wantedOf(
  { db, set, crm, object, rules, speaks, now }: DesireScope,
  refs: readonly string[],
  before: ReadonlyMap<string, CrmRecordRow>,
): Promise<WantedRecord[]> {
  const spoken = await speakers(db, set, rules, refs)
  const facts = await readFacts(db, spoken.flatMap(named), set.identity['domain-aliases'])
  const traits = await readPropertyTraits(db, crm, rules, refs, now)
  const wanted: WantedRecord[] = []
  for (const { score, model } of spoken) {
    const subject = withChampion(facts, score)
    if (!subject) continue
    const told = traits.get(score.subjectId)
    const desired = desiredRecord(rules, subject, score, speaks(model), told)
    const companyRef = object === 'contact' ? facts.accountOf(score.subjectId) : null
    wanted.push({ ...desired, object, companyRef })
  }
  const has = new Set(wanted.map((record) => record.ref))
  const left = [...before.values()].filter((row) => !has.has(row.ref) && row.object === object)
  return [
    ...wanted,
    ...left.map((row) => ({
      ...leftRecord(rules, row),
      object,
      companyRef: row.companyRef,
    })),
  ]
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
function voices(): (model: Model) => Speaker {
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
