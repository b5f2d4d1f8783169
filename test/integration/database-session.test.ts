import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import { sql } from 'kysely'
import { type Database, openDatabase } from '../../src/infra/postgres/database.ts'
import { beginRun, finishRun, readWork, requestWork } from '../../src/infra/postgres/work.ts'
import { createState, removeFolders, type TestState } from '../support/state.ts'

let state: TestState
let database: Database
beforeAll(async () => {
  state = await createState()
  database = await openDatabase(state.databaseUrl ?? '')
})
afterAll(async () => {
  await database.close()
  await state.close()
  await removeFolders()
})

it('a session neither compiles plans nor starts processes for them, whichever connection it is', async () => {
  const one = () =>
    sql`select current_setting('jit') as jit,
      current_setting('max_parallel_workers_per_gather') as workers`.execute(database.db)
  for (const { rows } of await Promise.all([one(), one(), one()])) {
    expect(rows).toEqual([{ jit: 'off', workers: '0' }])
  }
})

describe('a run', () => {
  const runs = () => database.db.selectFrom('run').select(['outcome', 'counts']).execute()

  it('does not begin when nothing is asked for, or what is asked for failed for good', async () => {
    const { db } = database
    await requestWork(db, 'stage', 'a')
    await db.updateTable('work').set({ failed: 1 }).where('key', '=', 'a').execute()
    expect(await beginRun(db, 'stage', 'a')).toBeNull()
    expect(await beginRun(db, 'stage', 'nobody')).toBeNull()
    expect(await runs()).toEqual([])
  })

  it('is done up to the version that it began with', async () => {
    const { db } = database
    await requestWork(db, 'stage', 'b')
    const begun = await beginRun(db, 'stage', 'b')
    if (!begun) throw new Error('nothing began')
    expect(await runs()).toEqual([{ outcome: null, counts: {} }])
    await requestWork(db, 'stage', 'b')
    await finishRun(db, begun, { rows: 3 })
    expect(await runs()).toEqual([{ outcome: 'done', counts: { rows: 3 } }])
    expect(await readWork(db, 'stage', 'b')).toMatchObject([{ requested: 2, done: 1 }])
    const again = await beginRun(db, 'stage', 'b')
    if (again) await finishRun(db, again, {})
    expect(await beginRun(db, 'stage', 'b')).toBeNull()
  })
})
