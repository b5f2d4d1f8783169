import { sameJson } from '../../src/core/same-json.ts'
import { causeOf } from '../../src/core/scoring/change.ts'
import type { Score, Standing } from '../../src/core/scoring/score.ts'
import type { Connection } from '../../src/infra/lake/duck.ts'
import { readUsage } from '../../src/infra/lake/features-reader.ts'
import type { Db } from '../../src/infra/postgres/database.ts'
import { ScoreRows } from '../../src/infra/postgres/score-rows.ts'
import { readScores, readStandings } from '../../src/infra/postgres/score-store.ts'
import type { Touched } from '../../src/infra/postgres/touched.ts'
import type { Counts } from '../context.ts'
import type { Asked, RosterUsage, Told } from './score-features.ts'
import type { PlannedScorer } from './score-plan.ts'
import { boundaryBefore } from './score-roster.ts'
import {
  type Answered,
  askedOf,
  type KnownScores,
  readTold,
  scoreRoster,
} from './score-subjects.ts'
import {
  isNews,
  isQualified,
  type RosterTask,
  type Settled,
  storeSettled,
} from './store-settled.ts'

/** Scores a roster whose rows are in `usage`, and stores what changed. */
export async function settleRoster(
  db: Db,
  connection: Connection,
  task: RosterTask,
): Promise<Counts> {
  const { plan, actions, roster, time, touched } = task
  const asked = askedOf(roster, plan, touched?.subjects ?? null)
  const [told, known] = await Promise.all([
    readTold(db, plan, roster, time),
    readKnown(db, task, asked),
  ])
  const usage = { connection, rows: await readUsage(connection), actions }
  const changes = new Changes(task)
  const take = changes.take.bind(changes)
  const answers = await scoreRoster(usage, plan, roster, asked, told, time.asOf, known, take)
  await lookBack(usage, task, told, changes)
  const settled = answers.map((answer): Settled => {
    const { model } = answer.scorer
    return { model, rows: changes.rowsOf(model.id), gone: goneOf(answer, known, asked, touched) }
  })
  await storeSettled(db, settled, changes, task)
  const sum = (of: (one: Settled) => number) => settled.reduce((n, one) => n + of(one), 0)
  return {
    scored: answers.reduce((n, { standings }) => n + standings.size, 0),
    changed: sum(({ rows }) => rows.length),
    history: changes.history,
    dropped: sum(({ gone }) => gone.outside.length + gone.silent.length),
  }
}

const NONE: ReadonlyMap<string, Score> = new Map()

const NOBODY: ReadonlyMap<string, Standing> = new Map()

/** Somebody who has just become qualified, by evidence that may be younger than a day. */
interface Entered {
  readonly subjectId: string
  readonly model: string
  /** Of the row in what is stored. */
  readonly place: number
}

/** What is not as it is stored, written down as it is found: a shard's scores would outlive every small collection. */
class Changes {
  readonly entered: Entered[] = []
  /** Who is looked at by what comes next. */
  readonly moved: Set<string>
  /** Who is qualified and has news. */
  readonly news = new Set<string>()
  history = 0
  readonly #task: RosterTask
  readonly #boundary: number
  readonly #rows = new Map<string, ScoreRows>()

  constructor(task: RosterTask) {
    this.#task = task
    this.#boundary = boundaryBefore(task.time.asOf).getTime()
    // Who was touched may have another address or account, with the same score. Where everybody is looked at anyway,
    // marks only tell what has just happened.
    this.moved = new Set(task.touched?.subjects ?? [])
  }

  rowsOf(model: string): ScoreRows {
    const known = this.#rows.get(model)
    if (known) return known
    const made = new ScoreRows()
    this.#rows.set(model, made)
    return made
  }

  /** History tells of changed scores and statuses alone. */
  take({ model }: PlannedScorer, score: Score, previous: Score | null): void {
    // When it could change next is no news, but the sweep goes by it.
    if (previous && sameJson(previous, score)) return
    const isTold =
      !previous || previous.score !== score.score || previous.usageStatus !== score.usageStatus
    const { evidenceAt } = score
    const history = isTold ? { previous, cause: causeOf(model, previous, score), evidenceAt } : null
    const place = this.rowsOf(model.id).add(score, history)
    const hasNews = isNews(score, this.#task)
    if (this.#task.touched || hasNews) this.moved.add(score.subjectId)
    if (hasNews && isQualified(score)) this.news.add(score.subjectId)
    if (!history) return
    this.history++
    // Whoever has no younger evidence is dated by it as it is.
    const isYoung = evidenceAt !== null && Date.parse(evidenceAt) >= this.#boundary
    if (isYoung && isQualified(score) && !isQualified(previous)) {
      this.entered.push({ subjectId: score.subjectId, model: model.id, place })
    }
  }
}

/** Reads the stored scores: of those who are asked about, and of those who were touched and are nobody any more. */
export async function readKnown(
  db: Db,
  { plan, roster, touched }: Pick<RosterTask, 'plan' | 'roster' | 'touched'>,
  asked: Asked,
): Promise<KnownScores> {
  const people = asked.people.map(({ id }) => id)
  const accounts = asked.accounts.flatMap((number) => roster.accounts.get(number)?.id ?? [])
  const isAsked = new Set(people)
  const others = roster.people.flatMap(({ id }) => (isAsked.has(id) ? [] : [id]))
  const before = new Map<string, ReadonlyMap<string, Score>>()
  const beside = new Map<string, ReadonlyMap<string, Standing>>()
  for (const { model } of plan.scorers) {
    const isOfPeople = model.subject === 'person'
    const ids = isOfPeople ? people : accounts
    const all = touched ? [...new Set([...ids, ...touched.subjects])] : ids
    before.set(model.id, await readScores(db, model.id, all))
    if (isOfPeople) beside.set(model.id, await readStandings(db, model.id, others))
  }
  return {
    previous: (model) => before.get(model) ?? NONE,
    others: (model) => beside.get(model) ?? NOBODY,
  }
}

function goneOf(
  { scorer, standings, outside }: Answered,
  known: KnownScores,
  asked: Asked,
  touched: Touched | undefined,
): { readonly outside: string[]; readonly silent: string[] } {
  const gone: { outside: string[]; silent: string[] } = { outside: [], silent: [] }
  const people = touched && new Set([...touched.subjects, ...asked.people.map(({ id }) => id)])
  for (const id of known.previous(scorer.model.id).keys()) {
    if (standings.has(id)) continue
    if (outside.has(id)) gone.outside.push(id)
    // A colleague who was not asked about keeps her score.
    else if (!people || scorer.model.subject === 'account' || people.has(id)) gone.silent.push(id)
  }
  return gone
}

/**
 * Scores those who became qualified at the day boundary a day or more ago: who would have been qualified there
 * did not become so by what happened since, and is dated as of then. What is told besides usage is that of now.
 */
async function lookBack(
  usage: RosterUsage,
  { plan, roster, time }: RosterTask,
  told: Told,
  changes: Changes,
): Promise<void> {
  if (changes.entered.length === 0) return
  const entered = new Set(changes.entered.map(({ subjectId }) => subjectId))
  const accounts = [...roster.accounts].filter(
    ([, { id, people }]) =>
      entered.has(id) || (plan.looksAtColleagues && people.some((p) => entered.has(p.id))),
  )
  const numbers = new Set(accounts.map(([number]) => number))
  const people = roster.people.filter(
    ({ id, account }) => entered.has(id) || (account !== null && numbers.has(account)),
  )
  const asked = { people, accounts: [...numbers] }
  const unknown = { previous: () => NONE, others: () => NOBODY }
  const already = new Map<string, string | null>()
  const take = ({ model }: PlannedScorer, score: Score) => {
    if (isQualified(score)) already.set(`${model.id} ${score.subjectId}`, score.evidenceAt)
  }
  const boundary = boundaryBefore(time.asOf)
  await scoreRoster(usage, plan, roster, asked, told, boundary, unknown, take)
  for (const { subjectId, model, place } of changes.entered) {
    const evidenceAt = already.get(`${model} ${subjectId}`)
    if (evidenceAt !== undefined) changes.rowsOf(model).dateHistory(place, evidenceAt)
  }
}
