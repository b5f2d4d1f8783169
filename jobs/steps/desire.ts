import { canonicalJson } from '../../src/core/canonical-json.ts'
import type { CrmMapping, ObjectMapping } from '../../src/core/mapping/crm-mapping.ts'
import type { Model } from '../../src/core/mapping/model.ts'
import type { CrmObject } from '../../src/core/ports/crm.ts'
import { createExplainer } from '../../src/core/scoring/explain.ts'
import type { Score } from '../../src/core/scoring/score.ts'
import {
  changesToWrite,
  type DesiredRecord,
  desiredRecord,
} from '../../src/core/sync/desired-record.ts'
import type { Speaker, SubjectFacts } from '../../src/core/sync/fields.ts'
import { readEffective } from '../../src/infra/mappings/published.ts'
import {
  type CrmRecordRow,
  readRecords,
  storeDesired,
  type WantedRecord,
} from '../../src/infra/postgres/crm-record-store.ts'
import type { Db } from '../../src/infra/postgres/database.ts'
import { requestWork } from '../../src/infra/postgres/work.ts'
import type { StepHandler } from '../context.ts'
import { planTasks } from './plan-tasks.ts'
import { speakers } from './speakers.ts'

/** Works out what every CRM record should say, and which tasks it should hold. */
export const desire: StepHandler = async (context) => {
  const { set } = await readEffective(context.db)
  const counts = { records: 0, changed: 0, tasks: 0 }
  const facts = await readSubjectFacts(context.db)
  const speaks = voices()
  for (const [crm, mapping] of set.crms) {
    const before = await readRecords(context.db, crm)
    const wanted: WantedRecord[] = []
    for (const [object, rules] of objectsOf(mapping)) {
      for (const { score, model } of await speakers(context.db, set, rules)) {
        const subject = withChampion(facts, score)
        if (!subject) continue
        const desired = desiredRecord(rules, subject, score, speaks(model))
        const companyRef = object === 'contact' ? facts.accountOf(score.subjectId) : null
        wanted.push({ ...desired, object, companyRef })
      }
    }
    wanted.push(...noLongerWanted(before, wanted))
    const changed = wanted.filter((record) => differs(record, before.get(record.ref)))
    counts.records += wanted.length
    counts.changed += changed.length
    const now = context.clock()
    counts.tasks += await context.db.transaction().execute(async (tx) => {
      await storeDesired(tx, crm, changed)
      const tasks = mapping.tasks ? await planTasks(tx, crm, set, mapping, mapping.tasks, now) : 0
      if (context.crms.get(crm)?.connect) await requestWork(tx, 'reconcile', crm)
      return tasks
    })
  }
  return counts
}

/**
 * Records whose person or account has no score any more (usage withdrawn, merged away): our properties
 * are cleared where we wrote them, and nothing is created.
 */
function noLongerWanted(
  before: ReadonlyMap<string, CrmRecordRow>,
  wanted: readonly WantedRecord[],
): WantedRecord[] {
  const refs = new Set(wanted.map((record) => record.ref))
  return [...before.values()]
    .filter((row) => !refs.has(row.ref))
    .map((row) => ({
      ref: row.ref,
      object: row.object,
      companyRef: row.companyRef,
      properties: Object.fromEntries(Object.keys(row.desired).map((name) => [name, null])),
      onCreate: {},
      emails: [],
      domains: [],
      mayCreate: false,
      thorough: false,
    }))
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
    changesToWrite(record.properties, row.desired) !== null ||
    Object.keys(row.desired).length !== Object.keys(record.properties).length ||
    row.mayCreate !== record.mayCreate ||
    row.companyRef !== record.companyRef ||
    canonicalJson(row.lookup) !== canonicalJson(lookupOf(record)) ||
    canonicalJson(row.onCreate) !== canonicalJson(record.onCreate)
  )
}

function lookupOf({ emails, domains, thorough }: DesiredRecord) {
  return { emails, domains, thorough }
}

interface Facts {
  readonly subject: (id: string) => SubjectFacts | null
  readonly accountOf: (personId: string) => string | null
}

async function readSubjectFacts(db: Db): Promise<Facts> {
  const people = await db.selectFrom('person').select(['id', 'email', 'account_id']).execute()
  const accounts = await db.selectFrom('account').select(['id', 'domain', 'name']).execute()
  const accountOf = new Map(people.map((person) => [person.id, person.account_id]))
  const all = new Map<string, SubjectFacts>()
  const none = { email: null, domain: null, name: null, champion: null, others: [] }
  for (const { id, email } of people) all.set(id, { ...none, id, email })
  for (const { id, domain, name } of accounts) all.set(id, { ...none, id, domain, name })
  return {
    subject: (id) => all.get(id) ?? null,
    accountOf: (personId) => accountOf.get(personId) ?? null,
  }
}

function withChampion(facts: Facts, score: Score): SubjectFacts | null {
  const subject = facts.subject(score.subjectId)
  const championId = score.facts.championId
  if (!subject) return null
  const told = (id: string) => facts.subject(id)?.email ?? id
  const champion = championId === null ? null : told(championId)
  return { ...subject, champion, others: score.facts.otherIds.map(told) }
}
