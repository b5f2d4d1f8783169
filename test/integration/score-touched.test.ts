import { afterEach, describe, expect, it } from '@jest/globals'
import fc from 'fast-check'
import { sql } from 'kysely'
import { arrivedAt, markTouched } from '../../src/infra/postgres/touched.ts'
import { scoringMappings } from '../support/scoring-mappings.ts'
import { closeThreads, NOW, openThread, type Thread } from '../support/thread.ts'

afterEach(closeThreads)

const DAY_MS = 86_400_000

async function pulled(): Promise<Thread> {
  const thread = await openThread({ mappings: await scoringMappings() })
  await thread.pull()
  return thread
}

async function subjects({ app }: Thread): Promise<string[]> {
  const { rows } = await sql<{ id: string }>`select id from person
    union select account_id from person where account_id is not null order by id`.execute(
    app.context.db,
  )
  return rows.map(({ id }) => id)
}

async function touch({ app }: Thread, ids: readonly string[]): Promise<void> {
  const { engine, context } = app
  await context.db.transaction().execute((tx) => markTouched(tx, 'score', ids, arrivedAt(null)))
  await engine.touch('score', 'all')
  await engine.idle(['score'])
}

/** What scores say, but for when it was worked out. */
async function told({ app }: Thread) {
  const { rows } =
    await sql`select subject_id, model, score, grade, usage_status, contributions, missing,
      facts, evidence_at, next_change_at from score order by 1, 2`.execute(app.context.db)
  return rows
}

const asOfs = async ({ app }: Thread) => {
  const { rows } = await sql<{
    id: string
    asOf: Date
  }>`select subject_id as id, max(as_of) as "asOf"
    from score group by 1`.execute(app.context.db)
  return new Map(rows.map(({ id, asOf }) => [id, asOf.toISOString()]))
}

describe('a look at those who were touched', () => {
  it('looks at them, their colleagues and their accounts, and at nobody else', async () => {
    const thread = await pulled()
    await thread.score()
    const { db } = thread.app.context
    const { rows } = await sql<{
      id: string
      account: string
      team: string[]
    }>`select min(p.id) as id,
      account_id as account, array_agg(p.id) as team from person p where account_id is not null
      group by account_id order by count(*) desc limit 1`.execute(db)
    const [team] = rows
    if (!team) throw new Error('nobody has a colleague')
    // Everybody's score would be another one.
    await sql`update score set score = 1`.execute(db)
    const later = new Date(NOW.getTime() + 3_600_000)
    thread.setNow(later)
    await touch(thread, [team.id])
    const scored = [...(await asOfs(thread))].filter(([, asOf]) => asOf === later.toISOString())
    expect(scored.map(([id]) => id).sort()).toEqual([team.account, ...team.team].sort())
    const marks = await sql`select from touched where step = 'score'`.execute(db)
    expect(marks.rows).toEqual([])
  })

  it('takes away the score of somebody who is nobody any more', async () => {
    const thread = await pulled()
    await thread.score()
    const { db } = thread.app.context
    const { rows } = await sql<{ id: string }>`delete from person where id in (
      select subject_id from score where subject = 'person' order by score desc limit 1)
      returning id`.execute(db)
    const gone = rows.map(({ id }) => id)
    await touch(thread, gone)
    const left = await sql`select from score where subject_id = any(${gone}::text[])`.execute(db)
    expect(left.rows).toEqual([])
    const history = await sql<{ cause: string }>`select cause from score_change
      where subject_id = any(${gone}::text[]) order by id desc limit 1`.execute(db)
    expect(history.rows).toEqual([{ cause: 'no usage' }])
  })

  it('does not write over what somebody worked out for a later instant', async () => {
    const thread = await pulled()
    await thread.score()
    const { db } = thread.app.context
    await sql`update score set score = 1, as_of = '2030-01-01'`.execute(db)
    await touch(thread, await subjects(thread))
    const { rows } = await sql`select distinct score from score`.execute(db)
    expect(rows).toEqual([{ score: 1 }])
  })

  it('says in any number of steps what one look at everybody says', async () => {
    const whole = await pulled()
    await whole.score()
    const ids = await subjects(whole)
    const days = [1, 2, 5, 9]
    const want: unknown[] = []
    for (const day of days) {
      whole.setNow(new Date(NOW.getTime() + day * DAY_MS))
      await whole.score()
      want.push(await told(whole))
    }
    await closeThreads()
    const thread = await pulled()
    await thread.score()
    for (const [i, day] of days.entries()) {
      thread.setNow(new Date(NOW.getTime() + day * DAY_MS))
      const [order = []] = fc.sample(fc.shuffledSubarray(ids, { minLength: ids.length }), {
        numRuns: 1,
        seed: 42 + i,
      })
      const cut = 1 + ((i * 7) % (order.length - 1))
      await touch(thread, order.slice(0, cut))
      await touch(thread, order.slice(cut))
      expect(await told(thread)).toEqual(want[i])
    }
  })
})
