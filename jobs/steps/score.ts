import { sql } from 'kysely'
import { z } from 'zod'
import { ConfigError } from '../../src/core/errors.ts'
import type { Tx } from '../../src/infra/postgres/database.ts'
import { dropScores, findOrphans, type ScoreTime } from '../../src/infra/postgres/score-store.ts'
import {
  arrivedAt,
  clearTouched,
  readTouched,
  type Touched,
} from '../../src/infra/postgres/touched.ts'
import { requestWork } from '../../src/infra/postgres/work.ts'
import { type Counts, type JobContext, type StepHandler, TOUCHED } from '../context.ts'
import { newsIsTold } from '../news-is-told.ts'
import { settleRoster } from './score-changes.ts'
import { rollupsKnownAt } from './score-known-at.ts'
import { actionsOf, loadRoster, type Rules, readRules, SLOTS, type Whom } from './score-roster.ts'
import { withShardUsage } from './score-shards.ts'
import type { RosterTask } from './store-settled.ts'

const instant = z.iso.datetime()
/** What somebody asks for who asks about the past. */
const askedSchema = z.strictObject({ asOf: instant, knownAt: instant.optional() }).nullable()
/** What the plan asks of a shard: all of them look at the same instant. */
const shardSchema = z.strictObject({
  asOf: instant,
  knownAt: instant.optional(),
  isAsked: z.boolean(),
  arrivedAt: instant.optional(),
  plan: z.string(),
})

type Time = ScoreTime & { readonly knownAt: Date | undefined }

/**
 * Scores people and accounts with every model. `all` looks at those who were touched; or at everybody,
 * at `asOf` (default: now), in shards of their own when there are many. `shard/3of8` is one of these.
 */
export const score: StepHandler = async (context, key, params, signal, { wakeNext }) => {
  const onNews = async () => {
    await wakeNext?.()
    await newsIsTold(context.db, signal)
  }
  if (key !== 'all') return scoreShard(context, key, params, wakeNext)
  if (params === TOUCHED) return scoreTouched(context, signal, onNews)
  return scoreEverybody(context, params, signal, onNews)
}

/** Called when whoever follows has something to do already. */
type OnNews = RosterTask['onNews']

async function scoreTouched(
  context: JobContext,
  signal: AbortSignal,
  onNews: OnNews,
): Promise<Counts> {
  const total: Record<string, number> = { scored: 0, changed: 0 }
  for (;;) {
    signal.throwIfAborted()
    // First the time: whatever comes in from here on is younger.
    const time = { asOf: context.clock(), isAsked: false, knownAt: undefined }
    const touched = await readTouched(context.db, 'score', '', context.shardPeople)
    if (touched.subjects.length === 0) return total
    if (await isMost(context, touched)) return { ...total, ...(await plan(context, time, onNews)) }
    const rules = await readRules(context.db, context.lakeDir)
    const { subjects, arrivals } = touched
    const counts = await settle(context, rules, { subjects }, time, { arrivals, touched, onNews })
    for (const [name, n] of Object.entries(counts)) total[name] = (total[name] ?? 0) + n
    if (touched.subjects.length < context.shardPeople) return total
  }
}

/** When so many are touched, looking at everybody costs less than looking for them. */
const MOST = 0.3

async function isMost({ db, shardPeople }: JobContext, touched: Touched): Promise<boolean> {
  if (touched.subjects.length < shardPeople) return false
  const { rows } = await sql<{ touched: number; people: number }>`select
    (select count(distinct subject) from touched where step = 'score') as touched,
    (select count(*) from person) as people`.execute(db)
  return Number(rows[0]?.touched ?? 0) > MOST * Number(rows[0]?.people ?? 0)
}

async function scoreEverybody(
  context: JobContext,
  params: Readonly<Record<string, unknown>> | null,
  signal: AbortSignal,
  onNews: OnNews,
): Promise<Counts> {
  signal.throwIfAborted()
  const asked = askedSchema.parse(params)
  const time = {
    asOf: asked ? new Date(asked.asOf) : context.clock(),
    knownAt: asked?.knownAt === undefined ? undefined : new Date(asked.knownAt),
    isAsked: asked !== null,
  }
  return plan(context, time, onNews)
}

/** Takes away what is nobody's, and scores everybody here or asks for shards. */
async function plan(context: JobContext, time: Time, onNews: OnNews): Promise<Counts> {
  const { db, shardPeople } = context
  const touched = time.isAsked ? NOBODY : await readTouched(db, 'score')
  const rules = await readRules(db, context.lakeDir)
  const { rows } = await sql<{ n: number }>`select count(*) as n from person`.execute(db)
  const shards = Math.min(SLOTS, Math.max(1, Math.ceil(Number(rows[0]?.n ?? 0) / shardPeople)))
  const orphans = await findOrphans(db, [...rules.set.models.keys()])
  const clear = async (tx: Tx) => {
    for (const { model, version, subjectIds } of orphans) {
      const cause = rules.set.models.has(model) ? 'no usage' : 'model removed'
      await dropScores(tx, { id: model, version }, time, cause, subjectIds)
    }
    await clearTouched(tx, touched)
  }
  if (shards === 1) {
    const arrivals = arrivedAt(touched.arrivals.first)
    const counts = await settle(context, rules, EVERYBODY, time, { arrivals, onNews })
    await db.transaction().execute(clear)
    return counts
  }
  await db.transaction().execute(async (tx) => {
    await clear(tx)
    // Shards of another number that nobody has begun are part of this request.
    await sql`update work set done = requested where step = 'score' and key <> 'all'
      and requested > done and not key like ${`shard/%of${shards}`}`.execute(tx)
    const of = { asOf: time.asOf.toISOString(), isAsked: time.isAsked, plan: crypto.randomUUID() }
    const { first } = touched.arrivals
    const params = {
      ...of,
      ...(time.knownAt ? { knownAt: time.knownAt.toISOString() } : {}),
      ...(first ? { arrivedAt: first.toISOString() } : {}),
    }
    for (let n = 1; n <= shards; n++) {
      await requestWork(tx, 'score', `shard/${n}of${shards}`, params)
    }
  })
  const dropped = orphans.reduce((n, { subjectIds }) => n + subjectIds.length, 0)
  return { shards, dropped }
}

const EVERYBODY: Whom = { fromSlot: 0, toSlot: SLOTS }
const NOBODY: Touched = { ids: [], subjects: [], arrivals: arrivedAt(null) }

async function scoreShard(
  context: JobContext,
  key: string,
  params: Readonly<Record<string, unknown>> | null,
  onNews: OnNews,
): Promise<Counts> {
  const [, n, of] = /^shard\/(\d+)of(\d+)$/.exec(key) ?? []
  if (n === undefined || of === undefined) throw new ConfigError(`${key} is no shard of the scores`)
  // Asked for by a hand that does not know what the plan says: there is always another plan.
  if (params === null) return { scored: 0, changed: 0 }
  const { asOf, knownAt, isAsked, plan: name, arrivedAt: first } = shardSchema.parse(params)
  const time: Time = {
    asOf: new Date(asOf),
    isAsked,
    knownAt: knownAt === undefined ? undefined : new Date(knownAt),
  }
  const shard = { name, key, time, place: Number(n) - 1, of: Number(of) }
  return withShardUsage(context, shard, (connection, rules, roster) =>
    settleRoster(context.db, connection, {
      plan: rules.plan,
      actions: actionsOf(rules.plan, time.asOf),
      roster,
      time,
      arrivals: arrivedAt(first === undefined ? null : new Date(first)),
      onNews,
    }),
  )
}

/** Of so many, what streams in is looked at beside everything else; more take all cores. */
const FEW = 250

/** Scores some people or everybody, straight from the rollups. */
async function settle(
  context: JobContext,
  rules: Rules,
  whom: Whom,
  time: Time,
  of: Pick<RosterTask, 'arrivals' | 'touched' | 'onNews'>,
): Promise<Counts> {
  const { touched } = of
  const isFew = touched !== undefined && touched.subjects.length <= FEW
  const duck = isFew ? context.streamDuck : context.duck
  return duck.connect(async (connection) => {
    const known = time.knownAt && (await rollupsKnownAt(context, connection, rules, time.knownAt))
    try {
      const { plan, live } = rules
      const from = { plan, live: known?.rollups ?? live }
      const table = isFew ? context.rollups : null
      const roster = await loadRoster(connection, context.db, from, whom, time.asOf, table)
      const actions = actionsOf(plan, time.asOf)
      const task = { plan, actions, roster, time, ...of }
      return await settleRoster(context.db, connection, task)
    } finally {
      await known?.remove()
    }
  })
}
