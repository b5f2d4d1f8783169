import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals'
import { rebuild as rebuildStep } from '../../jobs/steps/rebuild.ts'
import { explain } from '../../src/app/explanation.ts'
import { withLock } from '../../src/infra/postgres/lock.ts'
import { makeFolder } from '../support/embedded-processes.ts'
import { type Edit, mappingFiles } from '../support/mapping-files.ts'
import { WHO } from '../support/small-usage.ts'
import { removeFolders, type TestState } from '../support/state.ts'
import { closeThreads, NOW, openThread, pulledState, type Thread } from '../support/thread.ts'
import { createUsageLog, writeExports } from '../support/usage-log.ts'

let origin: TestState
beforeAll(async () => {
  origin = await pulledState()
})
afterEach(async () => {
  for (const source of held.keys()) await release(source)
  await closeThreads()
})
afterAll(async () => {
  await origin.close()
  await removeFolders()
})

/** The newcomer's query makes an API key of it: 15 points where there were none. */
const queriesCount: Edit = {
  file: 'usage.yaml',
  from: 'event: API Key Created',
  to: 'event: API Key Created\n      - event: Query Run',
}
const othersCount: Edit = { ...queriesCount, to: 'event: API Key Created\n      - event: Other' }
/** A model that speaks of an action that only the changed plan has. */
const renamed: readonly Edit[] = [
  { file: 'usage.yaml', from: '  activated:', to: '  got_going:' },
  { file: 'models/people.yaml', from: /action: activated/g, to: 'action: got_going' },
]

async function openWaiting(): Promise<Thread> {
  const thread = await openThread({ origin })
  await hold(thread, 'amplitude')
  await hold(thread, 'mixpanel')
  await scoreOf(thread, WHO.champion)
  return thread
}

/** Somebody else seems to work on the rebuild of a source, until `release`. */
async function hold({ app }: Thread, source: string): Promise<void> {
  await new Promise<void>((taken) => {
    const over = withLock(app.context.pool, `work rebuild ${source}`, async () => {
      await new Promise<void>((letGo) => {
        held.set(source, async () => {
          letGo()
          await over
        })
        taken()
      })
    })
  })
}

const held = new Map<string, () => Promise<void>>()

async function release(source: string): Promise<void> {
  await held.get(source)?.()
  held.delete(source)
}

async function publish(thread: Thread, ...edits: Edit[]): Promise<void> {
  await thread.publish(await mappingFiles(...edits))
  await thread.app.engine.wake(['identity'])
  await thread.app.engine.idle(['identity'])
}

async function rebuild({ app }: Thread): Promise<void> {
  await release('amplitude')
  await release('mixpanel')
  await app.engine.wake(['rebuild'])
  await app.engine.idle(['rebuild'])
}

async function scoreOf(thread: Thread, who: string): Promise<number | undefined> {
  await thread.score()
  return (await explain(thread.app.context.db, who))?.scores[0]?.score
}

const generations = ({ app }: Thread) =>
  app.context.db.selectFrom('rollup_generation').select('live').orderBy('live').execute()

describe('while rollups are rebuilt', () => {
  it('scores go by the old ones until the new are complete', async () => {
    const thread = await openWaiting()
    await publish(thread, queriesCount)
    expect(await scoreOf(thread, WHO.newcomer)).toBe(0)
    expect((await thread.status()).rebuild).toEqual({
      amplitude: { done: 0, total: 6 },
      mixpanel: { done: 0, total: 5 },
    })
    await rebuild(thread)
    expect(await scoreOf(thread, WHO.newcomer)).toBe(15)
    expect((await thread.status()).rebuild).toEqual({})
    expect(thread.vendors.amplitude.calls()).toEqual([])
  })

  it('models that speak of new actions wait with them', async () => {
    const thread = await openWaiting()
    const before = await scoreOf(thread, WHO.champion)
    await publish(thread, ...renamed)
    expect(await scoreOf(thread, WHO.champion)).toBe(before)
    await rebuild(thread)
    expect(await scoreOf(thread, WHO.champion)).toBe(before)
  })

  it('nothing goes live before the last source is done', async () => {
    const thread = await openWaiting()
    await publish(thread, queriesCount)
    const { engine } = thread.app
    await release('amplitude')
    await engine.wake(['rebuild'])
    await engine.idle(['rebuild'], ['amplitude'])
    expect(await generations(thread)).toEqual([{ live: false }, { live: true }])
    expect(await scoreOf(thread, WHO.newcomer)).toBe(0)
    await rebuild(thread)
    expect(await generations(thread)).toEqual([{ live: true }])
    expect(await scoreOf(thread, WHO.newcomer)).toBe(15)
  })

  it('new events count in the old and in the new', async () => {
    const thread = await openWaiting()
    await publish(thread, queriesCount)
    const props = { path: '/pricing' }
    const deed = { user: 'm-cy', email: WHO.newcomer, at: NOW, props }
    thread.usage.mixpanel({ ...deed, event: 'page_viewed' })
    thread.setNow(new Date(NOW.getTime() + 3_600_000))
    await thread.app.engine.request('pull', 'mixpanel')
    for (const step of ['pull', 'rollup', 'identity'] as const) {
      await thread.app.engine.idle([step])
    }
    expect(await scoreOf(thread, WHO.newcomer)).toBe(10)
    await rebuild(thread)
    expect(await scoreOf(thread, WHO.newcomer)).toBe(25)
  })

  it('a second change takes the place of the first', async () => {
    const thread = await openWaiting()
    await publish(thread, othersCount)
    await publish(thread, queriesCount)
    expect(await generations(thread)).toHaveLength(2)
    await rebuild(thread)
    expect(await generations(thread)).toEqual([{ live: true }])
    expect(await scoreOf(thread, WHO.newcomer)).toBe(15)
  })

  it('a change that is taken back leaves nothing to do', async () => {
    const thread = await openWaiting()
    await publish(thread, queriesCount)
    await publish(thread)
    expect(await generations(thread)).toEqual([{ live: true }])
    expect(await scoreOf(thread, WHO.newcomer)).toBe(0)
  })
})

describe('a changed label', () => {
  it('rebuilds nothing', async () => {
    const thread = await openWaiting()
    await publish(thread, { file: 'usage.yaml', from: 'label: Ran a query', to: 'label: Queried' })
    expect(await generations(thread)).toEqual([{ live: true }])
  })
})

describe('a rebuild of many days', () => {
  const DAYS = 25

  /** One query on each of many days, and nothing else. */
  async function openLong(): Promise<Thread> {
    const thread = await openThread()
    await hold(thread, 'amplitude')
    const usage = createUsageLog()
    for (let n = 1; n <= DAYS; n++) {
      const at = new Date(NOW.getTime() - n * 86_400_000)
      usage.amplitude({ user: 'a-cy', email: WHO.newcomer, event: 'Query Run', at })
    }
    const files = await writeExports(usage, await makeFolder('exports'))
    await thread.pull(['amplitude'], [files.amplitude])
    return thread
  }

  /** Works on the rebuild until one chunk is done, as if the process ended there. */
  async function oneChunk({ app }: Thread): Promise<void> {
    const stop = new AbortController()
    const context = { ...app.context, onProgress: () => stop.abort(new Error('killed')) }
    const notes = { note: () => undefined, count: () => undefined }
    await expect(rebuildStep(context, 'amplitude', null, stop.signal, notes)).rejects.toThrow(
      'killed',
    )
  }

  it('keeps what is done when it is broken off, and goes on from there', async () => {
    const thread = await openLong()
    await publish(thread, queriesCount)
    await oneChunk(thread)
    expect((await thread.status()).rebuild).toEqual({ amplitude: { done: 10, total: DAYS } })
    expect(await scoreOf(thread, WHO.newcomer)).toBe(0)
    await rebuild(thread)
    const { counts } = await thread.app.context.db
      .selectFrom('run')
      .select('counts')
      .where('step', '=', 'rebuild')
      .executeTakeFirstOrThrow()
    expect(counts).toEqual({ days: DAYS - 10, live: 1 })
    expect(await scoreOf(thread, WHO.newcomer)).toBe(15)
  })

  it('begins anew when the plan changes on the way', async () => {
    const thread = await openLong()
    await publish(thread, othersCount)
    await oneChunk(thread)
    await publish(thread, queriesCount)
    expect((await thread.status()).rebuild).toEqual({ amplitude: { done: 0, total: DAYS } })
    await rebuild(thread)
    expect(await scoreOf(thread, WHO.newcomer)).toBe(15)
    expect((await thread.status()).sources).toMatchObject({ amplitude: { events: DAYS } })
  })
})
