import { z } from 'zod'
import type { Model } from '../../src/core/mapping/model.ts'
import type { Features } from '../../src/core/scoring/features.ts'
import { type Score, sameScore, scoreSubject } from '../../src/core/scoring/score-subject.ts'
import { freshSince, usageNeeds } from '../../src/core/scoring/usage-needs.ts'
import type { Connection } from '../../src/infra/lake/duck.ts'
import { loadUsage } from '../../src/infra/lake/features-reader.ts'
import { readEffective } from '../../src/infra/mappings/published.ts'
import type { Db } from '../../src/infra/postgres/database.ts'
import { liveRollups } from '../../src/infra/postgres/manifest.ts'
import {
  dropScores,
  readScores,
  type ScoreChange,
  storeScores,
} from '../../src/infra/postgres/score-store.ts'
import { clearTouched, readTouched } from '../../src/infra/postgres/touched.ts'
import { requestTouched, requestWork } from '../../src/infra/postgres/work.ts'
import { type Counts, type JobContext, type StepHandler, TOUCHED } from '../context.ts'
import { accountFeatures, personFeatures, readSubjects, type Subjects } from './score-features.ts'

const paramsSchema = z.object({ asOf: z.iso.datetime() }).nullable()

/**
 * Scores every person and account with every model, at `asOf` (default: now); or those who were touched
 * and their colleagues, who share an account with them.
 */
export const score: StepHandler = async (context, _key, params) => {
  const touched = await readTouched(context.db, 'score')
  const only = params === TOUCHED ? touched.subjects : null
  if (only?.length === 0) return { scored: 0, changed: 0 }
  const given = paramsSchema.parse(only ? null : params)
  const asOf = given ? new Date(given.asOf) : context.clock()
  const { set, live } = await readRules(context.db)
  const subjects = await readSubjects(context.db, only)
  const counts: Record<string, number> = { scored: 0, changed: 0 }
  await context.duck.connect(async (connection) => {
    const needs = usageNeeds(set.models.values(), asOf)
    await loadUsage(connection, context.lakeDir, live, subjects.memberships, needs)
    const scorer = createScorer(connection, subjects, set.models)
    for (const model of inOrder(set.models)) {
      const before = await readScores(context.db, model.id, only && idsOf(subjects, only))
      const some = await scoreModel(context, scorer, model, asOf, before, only)
      for (const [name, n] of Object.entries(some)) counts[name] = (counts[name] ?? 0) + n
    }
  })
  // The past is not the present: who was touched waits for that.
  if (!given) await clearTouched(context.db, touched)
  await (only ? requestTouched : requestWork)(context.db, 'desire', 'all')
  return counts
}

/** Models and the rollups that go with them, of one moment: a rebuild may swap both in between. */
function readRules(db: Db) {
  return db
    .transaction()
    .setIsolationLevel('repeatable read')
    .execute(async (tx) => ({
      set: (await readEffective(tx)).set,
      live: await liveRollups(tx),
    }))
}

/** Whose scores may have changed: those who are there, and those who may have gone. */
function idsOf({ people, peopleByAccount }: Subjects, touched: readonly string[]): string[] {
  return [...new Set([...touched, ...people.keys(), ...peopleByAccount.keys()])]
}

/** People first: account models ask for their scores. */
function inOrder(models: ReadonlyMap<string, Model>): Model[] {
  return [...models.values()].sort(
    (a, b) =>
      Number(a.subject === 'account') - Number(b.subject === 'account') || (a.id < b.id ? -1 : 1),
  )
}

interface Scorer {
  /** @param among who is scored; null for all subjects. */
  score(
    model: Model,
    asOf: Date,
    previous: ReadonlyMap<string, Score>,
    among: readonly string[] | null,
  ): Promise<Map<string, Score>>
  /** Keeps the scores of all people for the account models, which ask for them. */
  remember(model: Model, asOf: Date, scores: ReadonlyMap<string, Score>): void
}

/** Scores a model without storing anything: the same function for now, for a preview and for the past. */
function createScorer(
  connection: Connection,
  subjects: Subjects,
  models: ReadonlyMap<string, Model>,
): Scorer {
  const memo = new Map<string, ReadonlyMap<string, Score>>()
  const nameOf = (model: Model, asOf: Date) => `${model.id} ${asOf.getTime()}`
  const scorer: Scorer = {
    async score(model, asOf, previous, among) {
      const features: readonly Features[] =
        model.subject === 'person'
          ? await personFeatures(connection, subjects, model, asOf, among)
          : await accountFeatures(connection, subjects, model, asOf, await membersOf(model, asOf))
      const wanted = among && new Set(among)
      const scores = new Map<string, Score>()
      for (const one of features) {
        if (wanted && !wanted.has(one.subjectId)) continue
        const next = scoreSubject(model, one, previous.get(one.subjectId) ?? null, asOf)
        scores.set(one.subjectId, next)
      }
      return scores
    },
    remember: (model, asOf, scores) => void memo.set(nameOf(model, asOf), scores),
  }
  const membersOf = async (model: Model, asOf: Date): Promise<ReadonlyMap<string, Score>> => {
    const people = models.get(model['people-model'] ?? '')
    if (!people) return new Map()
    return memo.get(nameOf(people, asOf)) ?? scorer.score(people, asOf, new Map(), null)
  }
  return scorer
}

async function scoreModel(
  context: JobContext,
  scorer: Scorer,
  model: Model,
  asOf: Date,
  before: ReadonlyMap<string, Score>,
  touched: readonly string[] | null,
): Promise<Counts> {
  // Colleagues who did nothing keep their score; their account's depends on it, and on what was done.
  const among = model.subject === 'person' ? touched : null
  const scores = await scorer.score(model, asOf, before, among)
  const asked = among && new Set(among)
  const others = [...before].filter(([id]) => asked !== null && !asked.has(id))
  scorer.remember(model, asOf, new Map([...others, ...scores]))
  const changed: Score[] = []
  const moved: { score: Score; previous: Score | null }[] = []
  for (const next of scores.values()) {
    const previous = before.get(next.subjectId) ?? null
    if (previous && sameScore(previous, next) && previous.nextChangeAt === next.nextChangeAt)
      continue
    changed.push(next)
    const told =
      !previous || previous.score !== next.score || previous.usageStatus !== next.usageStatus
    if (told) moved.push({ score: next, previous })
  }
  const history = await datedHistory(scorer, model, asOf, moved)
  const gone = [...before.values()].filter(
    ({ subjectId }) => !scores.has(subjectId) && (asked === null || asked.has(subjectId)),
  )
  await context.db.transaction().execute(async (tx) => {
    await storeScores(tx, model, asOf, changed, history)
    await dropScores(tx, model, asOf, gone)
  })
  const { size } = scores
  return { scored: size, changed: changed.length, history: history.length, dropped: gone.length }
}

/**
 * Dates each change by the behaviour that brought it about: who would have been qualified at the day
 * boundary a day or more ago already did not become so by what happened since.
 */
async function datedHistory(
  scorer: Scorer,
  model: Model,
  asOf: Date,
  moved: readonly { readonly score: Score; readonly previous: Score | null }[],
): Promise<ScoreChange[]> {
  const entered = moved.filter(
    ({ score: s, previous }) =>
      s.usageStatus === 'qualified' && previous?.usageStatus !== 'qualified',
  )
  const ids = entered.map(({ score: s }) => s.subjectId)
  const earlier =
    ids.length > 0
      ? await scorer.score(model, freshSince(asOf), new Map(), ids)
      : new Map<string, Score>()
  return moved.map(({ score: s, previous }) => {
    const already = earlier.get(s.subjectId)?.usageStatus === 'qualified'
    return {
      score: s,
      previous,
      cause: previous ? 'rescored' : 'first score',
      evidenceAt: already ? (earlier.get(s.subjectId)?.evidenceAt ?? null) : s.evidenceAt,
    }
  })
}
