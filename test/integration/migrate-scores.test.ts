import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, afterEach, expect, it } from '@jest/globals'
import { type Database, openDatabase } from '../../src/infra/postgres/database.ts'
import { migrate } from '../../src/infra/postgres/migrate.ts'
import { readScores } from '../../src/infra/postgres/score-store.ts'
import { createState, removeFolders, type TestState } from '../support/state.ts'

const MIGRATIONS = join(import.meta.dirname, '../../src/infra/postgres/migrations')

const open: { close(): Promise<void> }[] = []
afterEach(async () => {
  for (const one of open.splice(0).reverse()) await one.close()
})
afterAll(removeFolders)

/** A database as the migrations before this one leave it. */
async function databaseOfBefore(first: string): Promise<Database> {
  const state: TestState = await createState()
  open.push(state)
  const database = await openDatabase(state.databaseUrl ?? '')
  open.push(database)
  const { pool } = database
  await pool.query('drop schema public cascade; create schema public')
  await pool.query('create table ripen_migration (name text primary key, ran_at timestamptz)')
  for (const name of (await readdir(MIGRATIONS)).sort()) {
    if (name >= first) continue
    await pool.query(await readFile(join(MIGRATIONS, name), 'utf8'))
    await pool.query('insert into ripen_migration values ($1, now())', [name])
  }
  return database
}

it('an upgrade asks for people and scores of now, and scores wait for people', async () => {
  const { pool } = await databaseOfBefore('0010')
  await pool.query(
    `insert into person (id, email_kind, traits) values ('per_a', 'none', '{"plan": "pro"}')`,
  )
  await pool.query(`insert into score (subject_id, subject, model, model_version, score, grade,
      usage_status, status_since, change, trend, contributions, reasons, facts, as_of)
    values ('per_a', 'person', 'people', 1, 50, 'B', 'qualified', now(), 0, 'steady', '[{}]', '[]', '{}', now())`)
  // Somebody looked at the past before, and people were found an hour ago.
  await pool.query(`insert into work (step, key, params, requested, done, whole, changed_at)
    values ('score', 'all', '{"asOf": "2026-01-01T00:00:00Z"}', 3, 3, 3, now() - interval '1 hour'),
      ('identity', 'all', null, 5, 5, 5, now() - interval '1 hour')`)
  expect(await migrate(pool)).toContain('0011-traits.sql')
  const { rows } = await pool.query(`select step, params, whole > done as whole,
    changed_at > now() - interval '1 minute' as young from work order by step`)
  // A step waits for the ones before it that were asked for within the last minute.
  expect(rows).toEqual([
    { step: 'identity', params: null, whole: true, young: true },
    { step: 'score', params: null, whole: true, young: true },
  ])
})

it('an upgrade keeps what scores and their history consist of, and asks for nothing', async () => {
  const { pool, db } = await databaseOfBefore('0013')
  const parts = [['core', 50, 3, 1_787_000_000_000, 1_788_000_000_000]]
  await pool.query(
    `insert into score (subject_id, subject, model, model_version, score, grade, usage_status,
      status_since, change, changed, trend, contributions, missing, facts, as_of)
    values ('per_a', 'person', 'people', 1, 50, 'B', 'qualified', '2026-08-30T00:00:00.123Z', 10,
      '[["core", 40, 50]]', 'steady', $1, '[["other", 7, 1, false]]', '{}', now())`,
    [JSON.stringify(parts)],
  )
  await pool.query(
    `insert into score_change (subject_id, model, model_version, cause, to_score, to_status,
      contributions, as_of) values ('per_a', 'people', 1, 'first score', 50, 'qualified', $1, now())`,
    [JSON.stringify(parts)],
  )
  expect(await migrate(pool)).toContain('0013-score-bodies.sql')
  expect((await readScores(db, 'people')).get('per_a')).toMatchObject({
    statusSince: '2026-08-30T00:00:00.123Z',
    changed: [{ id: 'core', from: 40, to: 50 }],
    contributions: [
      { id: 'core', points: 50, amount: 3, since: 1_787_000_000_000, last: 1_788_000_000_000 },
    ],
    missing: [{ id: 'other', points: 7, more: 1, isRequired: false }],
  })
  const { rows } = await pool.query('select contributions from score_change')
  expect(rows).toEqual([{ contributions: parts }])
  const { rows: work } = await pool.query(`select from work where requested > done`)
  expect(work).toEqual([])
})
