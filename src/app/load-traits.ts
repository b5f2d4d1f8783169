import { basename } from 'node:path'
import { traitRowsSql } from '../../connectors/sources/files/trait-rows.ts'
import type { JobContext } from '../../jobs/context.ts'
import { ConfigError } from '../core/errors.ts'
import type { AccountRules } from '../core/identity/accounts.ts'
import { accountRules } from '../core/identity/rules.ts'
import { type RowTrait, readTraitRow, type TraitRow } from '../core/mapping/trait-row.ts'
import type { TraitFile } from '../core/mapping/traits-mapping.ts'
import type { Connection } from '../infra/lake/duck.ts'
import { readError } from '../infra/lake/read-error.ts'
import { readPublished } from '../infra/mappings/published.ts'
import type { Tx } from '../infra/postgres/database.ts'
import { readForgotten } from '../infra/postgres/forget-store.ts'
import {
  addLoaded,
  beginLoad,
  findConflicts,
  finishLoad,
  type Loaded,
} from '../infra/postgres/trait-load-store.ts'
import { seal } from '../infra/seal.ts'

/** Lines that are in memory at one time. */
const PAGE = 20_000
/** So many problems are told at once. */
const MOST_PROBLEMS = 3

/** What loading a file did. */
export interface TraitsLoad extends Loaded {
  readonly lines: number
  /** Lines about people who asked to be forgotten. */
  readonly leftOut: number
}

/**
 * Loads a CSV file under one declaration of traits.yaml: from then on it says what the file says, and
 * nothing that an earlier load said.
 * @throws {ConfigError} that names file, line and column; then nothing is changed.
 */
export async function loadTraits(
  { db, duck, clock }: Pick<JobContext, 'db' | 'duck' | 'clock'>,
  path: string,
  name: string,
): Promise<TraitsLoad> {
  const { set } = await readPublished(db)
  const file = set.traits.files[name]
  if (!file) {
    const known = Object.keys(set.traits.files).sort().join(', ') || 'none'
    throw new ConfigError(
      `--as ${name} is not declared under files in traits.yaml; known are ${known}`,
    )
  }
  const rules = accountRules(set.identity)
  const query = await traitRowsSql(name, file, path)
  return duck.connect(async (connection) => {
    await connection
      .run(`create or replace temp table trait_row as ${query.sql}`, query.params)
      .catch((error: unknown) => {
        throw readError(error)
      })
    return db.transaction().execute(async (tx) => {
      await beginLoad(tx)
      const isForgotten = await forgottenIn(tx)
      const read = { lines: 0, leftOut: 0 }
      const problems: string[] = []
      for await (const rows of pages(connection)) {
        read.lines += rows.length
        const traits = readAll(file, rows, rules, problems)
        const left = new Set(traits.filter(isForgotten).map(({ line }) => line))
        read.leftOut += left.size
        const kept = traits.filter(({ line }) => !left.has(line))
        await addLoaded(tx, kept)
      }
      await refuse(tx, path, problems)
      return { ...read, ...(await finishLoad(tx, originOf(name), clock())) }
    })
  })
}

async function forgottenIn(tx: Tx): Promise<(trait: RowTrait) => boolean> {
  const { key, hashes } = await readForgotten(tx)
  const known = new Set(hashes)
  return ({ about }) => known.size > 0 && known.has(seal(key, about))
}

/** What says a trait, where there are several. */
const originOf = (name: string): string => `csv/${name}`

async function* pages(connection: Connection): AsyncGenerator<readonly TraitRow[]> {
  for (let after = 0; ; ) {
    const rows = await connection.rows(
      `select * from trait_row where line > $after order by line limit ${PAGE}`,
      { after },
    )
    const last = rows.at(-1)
    if (!last) return
    yield rows.map((row) => ({
      line: Number(row['line']),
      id: row['id'] as string | null,
      toldAt: row['told_at'] as number | null,
      told: row['told'] as (string | null)[],
    }))
    after = Number(last['line'])
  }
}

function readAll(
  file: TraitFile,
  rows: readonly TraitRow[],
  rules: AccountRules,
  problems: string[],
): RowTrait[] {
  return rows.flatMap((row) => {
    const read = readTraitRow(file, row, rules)
    if (typeof read !== 'string') return read
    if (problems.length < MOST_PROBLEMS) problems.push(`line ${row.line} ${read}`)
    return []
  })
}

/** Ends the transaction when something is wrong with the file. */
async function refuse(tx: Tx, path: string, problems: readonly string[]): Promise<void> {
  const conflicts = problems.length > 0 ? [] : await findConflicts(tx)
  const all = [
    ...problems,
    ...conflicts.map(
      ({ name, first, second }) =>
        `line ${second} says something else of ${name} than line ${first}, about the same and at the same time; remove one of them`,
    ),
  ]
  if (all.length === 0) return
  const lines = all.map((problem) => `${basename(path)} ${problem}`)
  throw new ConfigError(`${lines.join('\n')}\nNothing was changed`)
}
