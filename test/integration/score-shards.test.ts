import { afterEach, describe, expect, it } from '@jest/globals'
import { sql } from 'kysely'
import { markDue } from '../../src/infra/postgres/score-store.ts'
import { STEPS } from '../../src/infra/postgres/work.ts'
import { scoringMappings } from '../support/scoring-mappings.ts'
import { storedScores } from '../support/stored-scores.ts'
import { closeThreads, NOW, openThread, type Thread } from '../support/thread.ts'

afterEach(closeThreads)

/** A shard of so few people, at most, that the small history makes several. */
const SMALL = { RIPEN_SCORE_SHARD_PEOPLE: '3' }
const DAY_MS = 86_400_000

async function scored(environment: Readonly<Record<string, string>> = {}): Promise<Thread> {
  const thread = await openThread({ mappings: await scoringMappings(), environment })
  await thread.pull()
  await thread.score()
  return thread
}

const rowsOfWork = async ({ app }: Thread) => {
  const { rows } = await sql<{ key: string }>`select key from work where step = 'score'
    order by key`.execute(app.context.db)
  return rows.map(({ key }) => key)
}

describe('scores in shards', () => {
  it('are those of one look at everybody, whoever works on them', async () => {
    const whole = await scored()
    expect(await rowsOfWork(whole)).toEqual(['all'])
    const want = await storedScores(whole.app.context.db)
    expect(want.length).toBeGreaterThan(12)
    await closeThreads()

    const thread = await openThread({ mappings: await scoringMappings(), environment: SMALL })
    const other = await thread.colleague()
    await thread.pull()
    other.engine.start(['score'], [])
    await thread.score()
    const keys = await rowsOfWork(thread)
    expect(keys.length).toBeGreaterThan(3)
    expect(keys).toContain(`shard/1of${keys.length - 1}`)
    expect(await storedScores(thread.app.context.db)).toEqual(want)
    const { rows } = await sql`select distinct as_of from score`.execute(thread.app.context.db)
    expect(rows).toHaveLength(1)
  })

  it('leave nothing behind, and nobody waits', async () => {
    const thread = await scored(SMALL)
    const { rows } =
      await sql`select key from work where step = 'score' and requested > done`.execute(
        thread.app.context.db,
      )
    expect(rows).toEqual([])
    expect(thread.app.context.shardUsage.current).toBeNull()
  })

  it('of a worker that ended are done by the next one', async () => {
    const thread = await openThread({
      mappings: await scoringMappings(),
      environment: SMALL,
      working: false,
    })
    const { engine, context } = thread.app
    const pulling = STEPS.filter((step) => step !== 'score' && step !== 'desire')
    engine.start(pulling, ['hubspot'])
    await thread.pull()
    const first = await thread.colleague()
    first.engine.start(['score'], [])
    await first.engine.request('score', 'all')
    // It ends in the middle: after the plan, wherever it is by then.
    for (;;) {
      const { rows } = await sql<{ n: number }>`select count(*) as n from score`.execute(context.db)
      if (Number(rows[0]?.n) > 0) break
    }
    await first.close()
    const next = await thread.colleague()
    next.engine.start(['score', 'desire'], [])
    await next.engine.idle(['score', 'desire'])
    const ended = (await storedScores(context.db)).map(({ s }) => subjectOf(s))
    await closeThreads()
    const whole = await scored()
    const want = await storedScores(whole.app.context.db)
    expect(ended).toEqual(want.map(({ s }) => subjectOf(s)))
  })

  it('are not written where nothing changed', async () => {
    const thread = await scored(SMALL)
    const { db } = thread.app.context
    const before = await sql`select xmin::text, subject_id, model from score order by 2, 3`.execute(
      db,
    )
    const changes = await sql`select count(*) from score_change`.execute(db)
    await thread.score()
    const after = await sql`select xmin::text, subject_id, model from score order by 2, 3`.execute(
      db,
    )
    expect(after.rows).toEqual(before.rows)
    expect((await sql`select count(*) from score_change`.execute(db)).rows).toEqual(changes.rows)
  })

  it('of another number take over from those that nobody began', async () => {
    const thread = await scored(SMALL)
    const { db } = thread.app.context
    await sql`insert into work (step, key, requested, whole) values ('score', 'shard/1of99', 1, 1)`.execute(
      db,
    )
    await thread.score()
    const { rows } =
      await sql`select key from work where step = 'score' and requested > done`.execute(db)
    expect(rows).toEqual([])
  })
})

const subjectOf = (score: unknown) => {
  const { subject_id, model, usage_status, contributions } = score as Record<string, unknown>
  return {
    subject_id,
    model,
    usage_status,
    contributions,
    score: (score as { score: number }).score,
  }
}

describe('the past', () => {
  it('is scored in shards as in one', async () => {
    const at = new Date(Math.floor(NOW.getTime() / DAY_MS) * DAY_MS - 2 * DAY_MS).toISOString()
    const results: unknown[] = []
    for (const environment of [{}, SMALL]) {
      const thread = await scored(environment)
      const { engine, context } = thread.app
      await engine.request('score', 'all', { asOf: at })
      await engine.idle(['score', 'desire'])
      results.push(await storedScores(context.db))
      await closeThreads()
    }
    expect(results[1]).toEqual(results[0])
  })
})

describe('what was known', () => {
  it('is everything by now, and nothing before the first event arrived', async () => {
    const at = new Date(Math.floor(NOW.getTime() / DAY_MS) * DAY_MS - DAY_MS).toISOString()
    const thread = await scored(SMALL)
    const { engine, context } = thread.app
    const askedFor = async (knownAt?: string) => {
      await engine.request('score', 'all', knownAt ? { asOf: at, knownAt } : { asOf: at })
      await engine.idle(['score', 'desire'])
      return (await storedScores(context.db)).map(({ s }) => s)
    }
    const all = await askedFor()
    expect(all.length).toBeGreaterThan(8)
    expect(await askedFor('2031-01-01T00:00:00Z')).toEqual(all)
    expect(await askedFor('2020-01-01T00:00:00Z')).toEqual([])
  })
})

describe('the sweep', () => {
  it('marks those whose score is due, once, and nobody else', async () => {
    const thread = await scored()
    const { db } = thread.app.context
    const due = await sql<{ id: string }>`select subject_id as id from score
      order by subject_id limit 2`.execute(db)
    const ids = [...new Set(due.rows.map(({ id }) => id))]
    await sql`update score set next_change_at = '2030-01-01'`.execute(db)
    await sql`update score set next_change_at = ${NOW} where subject_id = any(${ids}::text[])`.execute(
      db,
    )
    expect(await markDue(db, ['people', 'accounts'], NOW)).toBe(ids.length)
    expect(await markDue(db, ['people', 'accounts'], NOW)).toBe(0)
    const marks = await sql<{ subject: string }>`select subject from touched where step = 'score'
      order by subject`.execute(db)
    expect(marks.rows.map(({ subject }) => subject)).toEqual(ids)
  })
})
