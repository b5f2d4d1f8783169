import { type RawBuilder, sql } from 'kysely'
import type { Contribution, Missing, Score } from '../../core/scoring/score.ts'

/** Lists of lists: the names of the fields would be most of what is stored. */
export type ContributionRow = readonly [string, number, number, number | null, number | null]
export type ChangedRow = readonly [string, number, number]
export type MissingRow = readonly [string, number, number, boolean]

/** The line that a new or changed score adds to the append-only history. */
export interface ScoreHistory {
  readonly previous: Score | null
  readonly cause: string
  /** The newest behaviour that brought the change about. */
  readonly evidenceAt: string | null
}

/** Rows of one statement: more than about 5,000 do not fit into the memory that PostgreSQL gives a list by default. */
const CHUNK = 4_000

/**
 * New and changed scores of one model, as PostgreSQL takes them: a list for each column, which it reads faster than objects. A
 * score is written down as it is added, so that nothing of it is kept but text and numbers.
 */
export class ScoreRows {
  readonly #chunks: Columns[] = []
  #length = 0

  get length(): number {
    return this.#length
  }

  /**
   * @param history null for a change that history does not tell.
   * @returns the place of the row.
   */
  add(score: Score, history: ScoreHistory | null): number {
    const place = this.#length
    const to = this.#next()
    to.subjectId.push(score.subjectId)
    to.version.push(score.version)
    to.score.push(score.score)
    to.grade.push(score.grade)
    to.usageStatus.push(score.usageStatus)
    to.salesStatus.push(score.salesStatus)
    to.statusSince.push(score.statusSince)
    to.heldUntil.push(score.heldUntil)
    to.roseLast.push(score.roseLast)
    to.qualifiedAt.push(score.qualifiedAt)
    to.change.push(score.change)
    to.trend.push(score.trend)
    to.evidenceAt.push(score.evidenceAt)
    to.nextChangeAt.push(score.nextChangeAt)
    to.cause.push(history?.cause ?? null)
    to.fromScore.push(history?.previous?.score ?? null)
    to.fromStatus.push(history?.previous?.usageStatus ?? null)
    to.toldAt.push(history?.evidenceAt ?? null)
    to.changed.push(JSON.stringify(score.changed.map(changedRow)))
    to.contributions.push(JSON.stringify(score.contributions.map(contributionRow)))
    to.missing.push(JSON.stringify(score.missing.map(missingRow)))
    to.facts.push(JSON.stringify(score.facts))
    return place
  }

  /** @returns the rows of some subjects and those of the others, each in their order. */
  split(isFirst: (subjectId: string) => boolean): readonly [ScoreRows, ScoreRows] {
    const parts = [new ScoreRows(), new ScoreRows()] as const
    for (const from of this.#chunks) {
      for (const [place, id] of from.subjectId.entries()) {
        copyRow(from, place, parts[isFirst(id) ? 0 : 1].#next())
      }
    }
    return parts
  }

  /** Where the next row goes. */
  #next(): Columns {
    if (this.#length++ % CHUNK === 0) this.#chunks.push(noRows())
    return this.#chunks[this.#chunks.length - 1] as Columns
  }

  /** Dates the history of a row otherwise. */
  dateHistory(place: number, evidenceAt: string | null): void {
    const { toldAt } = this.#chunks[Math.floor(place / CHUNK)] ?? noRows()
    toldAt[place % CHUNK] = evidenceAt
  }

  /** What stands after `from` in a statement for each few thousand of them. */
  statements(): readonly RawBuilder<unknown>[] {
    return this.#chunks.map(rowsOf)
  }
}

function noRows() {
  return {
    subjectId: [] as string[],
    version: [] as number[],
    score: [] as number[],
    grade: [] as string[],
    usageStatus: [] as string[],
    salesStatus: [] as string[],
    statusSince: [] as string[],
    heldUntil: [] as (string | null)[],
    roseLast: [] as boolean[],
    qualifiedAt: [] as (string | null)[],
    change: [] as number[],
    trend: [] as string[],
    evidenceAt: [] as (string | null)[],
    nextChangeAt: [] as (string | null)[],
    cause: [] as (string | null)[],
    fromScore: [] as (number | null)[],
    fromStatus: [] as (string | null)[],
    toldAt: [] as (string | null)[],
    /** JSON from here on. */
    changed: [] as string[],
    contributions: [] as string[],
    missing: [] as string[],
    facts: [] as string[],
  }
}

type Columns = ReturnType<typeof noRows>

function copyRow(from: Columns, place: number, to: Columns): void {
  for (const name of Object.keys(to) as (keyof Columns)[]) {
    const cells: unknown[] = to[name]
    cells.push(from[name][place])
  }
}

function rowsOf(of: Columns): RawBuilder<unknown> {
  return sql`rows from (unnest(${textList(of.subjectId)}::text[],
      ${plainList(of.version)}::int[], ${plainList(of.score)}::smallint[],
      ${textList(of.grade)}::text[], ${plainList(of.usageStatus)}::text[],
      ${plainList(of.salesStatus)}::text[], ${plainList(of.statusSince)}::timestamptz[],
      ${plainList(of.heldUntil)}::timestamptz[], ${plainList(of.roseLast)}::boolean[],
      ${plainList(of.qualifiedAt)}::timestamptz[], ${plainList(of.change)}::smallint[],
      ${plainList(of.trend)}::text[], ${plainList(of.evidenceAt)}::timestamptz[],
      ${plainList(of.nextChangeAt)}::timestamptz[], ${textList(of.cause)}::text[],
      ${plainList(of.fromScore)}::smallint[],
      ${plainList(of.fromStatus)}::text[],
      ${plainList(of.toldAt)}::timestamptz[]),
    json_array_elements(${jsonList(of.changed)}::json),
    json_array_elements(${jsonList(of.contributions)}::json),
    json_array_elements(${jsonList(of.missing)}::json),
    json_array_elements(${jsonList(of.facts)}::json))
    as n(subject_id, model_version, score, grade, usage_status, sales_status, status_since, held_until,
      rose_last, qualified_at, change, trend, evidence_at, next_change_at, cause, from_score, from_status,
      told_at, changed, contributions, missing, facts)`
}

const changedRow = ({ id, from, to }: Score['changed'][number]): ChangedRow => [id, from, to]
const contributionRow = (c: Contribution): ContributionRow => [
  c.id,
  c.points,
  c.amount,
  c.since,
  c.last,
]
const missingRow = (m: Missing): MissingRow => [m.id, m.points, m.more, m.isRequired]

const jsonList = (cells: readonly string[]): string => `[${cells.join()}]`

/** Numbers, instants, and words of ours: nothing in them has a meaning in a list. */
type Plain = string | number | boolean | null

/** A list as PostgreSQL writes it. `Array.join` would write nothing for null. */
function plainList(cells: readonly Plain[]): string {
  let list = '{'
  for (let i = 0; i < cells.length; i++) list += i === 0 ? String(cells[i]) : `,${cells[i]}`
  return `${list}}`
}

/** A list of any texts. */
function textList(cells: readonly (string | null)[]): string {
  const texts = cells.map((cell) => {
    if (cell === null) return 'null'
    return `"${/["\\]/.test(cell) ? cell.replace(/["\\]/g, '\\$&') : cell}"`
  })
  return `{${texts.join()}}`
}
