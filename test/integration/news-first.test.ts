import { afterAll, afterEach, beforeEach, describe, expect, it } from '@jest/globals'
import { sql } from 'kysely'
import type { Settled } from '../../jobs/steps/store-settled.ts'
import { storeSettled } from '../../jobs/steps/store-settled.ts'
import { windowIsPast } from '../../jobs/window-is-past.ts'
import type { Score } from '../../src/core/scoring/score.ts'
import { type Database, openDatabase } from '../../src/infra/postgres/database.ts'
import { ScoreRows } from '../../src/infra/postgres/score-rows.ts'
import { arrivedAt } from '../../src/infra/postgres/touched.ts'
import { readWork, requestTouched, requestWork } from '../../src/infra/postgres/work.ts'
import { NOW, seen } from '../support/features.ts'
import { BUSINESS, modelIn, scoreBy } from '../support/shipped-models.ts'
import { createState, removeFolders, type TestState } from '../support/state.ts'

let state: TestState
let database: Database
beforeEach(async () => {
  state = await createState()
  database = await openDatabase(state.databaseUrl ?? '')
})
afterEach(async () => {
  await database.close()
  await state.close()
})
afterAll(removeFolders)

const FILE = 'models/people.yaml'
const PEOPLE = 1_100
const idOf = (n: number) => `per_${String(n).padStart(4, '0')}`

/** So many people of 275 accounts, of whom the last is qualified; everybody was active today. */
function manySettled(): { settled: Settled[]; people: { id: string; account: number }[] } {
  const score = scoreBy(FILE, { activated: seen(1) }, BUSINESS)
  if (!score) throw new Error('no score')
  const facts = { ...score.facts, lastActive: new Date(NOW.getTime() - 60_000).toISOString() }
  const of = (n: number): Score => ({
    ...score,
    ...{ subjectId: idOf(n), facts },
    usageStatus: n === PEOPLE - 1 ? 'qualified' : 'nurture',
  })
  const people = Array.from({ length: PEOPLE }, (_, n) => ({ id: idOf(n), account: n % 275 }))
  const rows = new ScoreRows()
  for (let n = 0; n < PEOPLE; n++) rows.add(of(n), null)
  return { settled: [{ model: modelIn(FILE), rows, gone: { outside: [], silent: [] } }], people }
}

const storedNow = async () => {
  const { rows } = await sql<{ id: string }>`select subject_id as id from score order by 1`.execute(
    database.db,
  )
  return rows.map(({ id }) => id)
}
const markedNow = async () => {
  const { rows } = await sql<{ subject: string }>`select subject from touched where step = 'desire'
    order by 1`.execute(database.db)
  return rows.map(({ subject }) => subject)
}

describe('scores of many', () => {
  it('are stored for who is qualified and her colleagues first, and the next step is asked before the others are', async () => {
    const { db } = database
    const { settled, people } = manySettled()
    const accounts = new Map<number, { id: string; people: typeof members }>()
    const members = people.map((person, number) => ({ number, ...person }))
    for (const person of members) {
      const known = accounts.get(person.account)
      if (known) known.people.push(person)
      else accounts.set(person.account, { id: `acc_${person.account}`, people: [person] })
    }
    const colleagues = [274, 549, 824, 1_099].map(idOf)
    let told: unknown = null
    const ids = new Set(people.map(({ id }) => id))
    await storeSettled(
      db,
      settled,
      { moved: ids, news: new Set([idOf(1_099)]) },
      {
        ...{ roster: { people: members, accounts }, arrivals: arrivedAt(new Date()) },
        time: { asOf: NOW, isAsked: false },
        onNews: async () => {
          const [work] = await readWork(db, 'desire', 'all')
          told = { stored: await storedNow(), marked: await markedNow(), whole: work?.whole }
        },
      },
    )
    expect(told).toEqual({ stored: colleagues, marked: colleagues, whole: 0 })
    expect(await storedNow()).toHaveLength(PEOPLE)
    expect(await markedNow()).toHaveLength(PEOPLE)
    expect((await readWork(db, 'desire', 'all'))[0]?.whole).toBeGreaterThan(0)
  })
})

describe('what streams in', () => {
  it('waits while a window is on its way to its scores, and for no other event that streams in', async () => {
    const { db } = database
    const { signal } = new AbortController()
    await requestTouched(db, 'identity', 'all')
    await windowIsPast({ db }, signal)
    const order: string[] = []
    await requestWork(db, 'identity', 'all')
    const past = windowIsPast({ db }, signal).then(() => order.push('what streamed in'))
    await readWork(db)
    await readWork(db)
    order.push('the window')
    await sql`update work set done = requested`.execute(db)
    await past
    expect(order).toEqual(['the window', 'what streamed in'])
  })
})
