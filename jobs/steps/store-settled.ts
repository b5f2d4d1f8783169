import { ageAtArrival } from '../../src/core/freshness/age.ts'
import type { Model } from '../../src/core/mapping/model.ts'
import type { Score } from '../../src/core/scoring/score.ts'
import type { ReadAction } from '../../src/core/usage/feature-sql.ts'
import type { Db } from '../../src/infra/postgres/database.ts'
import type { ScoreRows } from '../../src/infra/postgres/score-rows.ts'
import { dropScores, type ScoreTime, storeScores } from '../../src/infra/postgres/score-store.ts'
import {
  type Arrivals,
  clearTouched,
  markTouched,
  type Touched,
} from '../../src/infra/postgres/touched.ts'
import { requestTouched, requestWork } from '../../src/infra/postgres/work.ts'
import type { Roster } from './score-features.ts'
import type { ScorePlan } from './score-plan.ts'

/** What is to be done with one roster. */
export interface RosterTask {
  readonly plan: ScorePlan
  readonly actions: readonly ReadAction[]
  readonly roster: Roster
  readonly time: ScoreTime & { readonly knownAt?: Date | undefined }
  /** When what is looked at arrived. */
  readonly arrivals: Arrivals
  /** Those alone, and whoever hangs on them; absent: everybody. */
  readonly touched?: Touched
  /** Called when those whom a CRM has to hear of first are stored, and the others are not yet. */
  readonly onNews?: (() => Promise<void>) | undefined
}

/** What storing asks of it. */
type StoreTask = Pick<RosterTask, 'roster' | 'time' | 'arrivals' | 'touched' | 'onNews'>

/** What one model has come to. */
export interface Settled {
  readonly model: Model
  readonly rows: ScoreRows
  readonly gone: { readonly outside: readonly string[]; readonly silent: readonly string[] }
}

/** Whom what comes next looks at, and who of them is qualified and has news. */
export interface Moved {
  readonly moved: ReadonlySet<string>
  readonly news: ReadonlySet<string>
}

/** Fewer are stored at once: two transactions would cost more than anybody waits. */
const MANY = 1_000

/**
 * Stores what changed, and asks for the next step. Of many, those who are qualified and have news come first, in a transaction of their
 * own: whoever follows need not wait for the others.
 */
export async function storeSettled(
  db: Db,
  settled: readonly Settled[],
  { moved, news }: Moved,
  task: StoreTask,
): Promise<void> {
  const n = settled.reduce((sum, { rows }) => sum + rows.length, 0)
  if (n <= MANY || news.size === 0) return storeRest(db, settled, moved, task)
  const first = withColleagues(news, task.roster)
  const parts = settled.map((one) => ({ one, rows: one.rows.split((id) => first.has(id)) }))
  await storeFirst(
    db,
    parts.map(({ one, rows: [some] }) => ({ ...one, rows: some })),
    [...moved].filter((id) => first.has(id)),
    task,
  )
  await task.onNews?.()
  const others = parts.map(({ one, rows: [, rest] }) => ({ ...one, rows: rest }))
  await storeRest(
    db,
    others,
    [...moved].filter((id) => !first.has(id)),
    task,
  )
}

/** With whoever is of the same account: a task tells of them too. */
function withColleagues(news: ReadonlySet<string>, { accounts }: Roster): ReadonlySet<string> {
  const first = new Set(news)
  for (const { id, people } of accounts.values()) {
    if (!news.has(id) && !people.some((person) => news.has(person.id))) continue
    first.add(id)
    for (const person of people) first.add(person.id)
  }
  return first
}

async function storeFirst(
  db: Db,
  settled: readonly Settled[],
  moved: readonly string[],
  { time, arrivals }: StoreTask,
): Promise<void> {
  await db.transaction().execute(async (tx) => {
    for (const { model, rows } of settled) await storeScores(tx, model, time, rows)
    await markTouched(tx, 'desire', moved, arrivals)
    await requestTouched(tx, 'desire', 'all')
  })
}

async function storeRest(
  db: Db,
  settled: readonly Settled[],
  moved: Iterable<string>,
  { time, arrivals, touched }: StoreTask,
): Promise<void> {
  const marked = new Set(moved)
  await db.transaction().execute(async (tx) => {
    for (const { model, rows, gone } of settled) {
      await storeScores(tx, model, time, rows)
      if (touched) for (const id of [...gone.outside, ...gone.silent]) marked.add(id)
      await dropScores(tx, model, time, 'left the population', gone.outside)
      await dropScores(tx, model, time, 'no usage', gone.silent)
    }
    await markTouched(tx, 'desire', [...marked], arrivals)
    // The past is not the present: who was touched waits for that.
    if (touched && !time.isAsked) await clearTouched(tx, touched)
    await (touched ? requestTouched : requestWork)(tx, 'desire', 'all')
  })
}

/** Something has arrived, and something has happened within a day: this may be it. */
export const isNews = (
  { facts }: Score,
  { arrivals: { first }, time }: Pick<RosterTask, 'arrivals' | 'time'>,
): boolean => first !== null && ageAtArrival(facts.lastActive, time.asOf, 0) !== null

export const isQualified = (score: Score | null | undefined): boolean =>
  score?.usageStatus === 'qualified'
