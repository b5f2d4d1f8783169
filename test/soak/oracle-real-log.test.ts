import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals'
import type { MappingFiles } from '../../src/core/mapping/mapping-set.ts'
import { readMappingFolder } from '../../src/infra/mappings/folder.ts'
import { readExports } from '../support/oracle/export-files.ts'
import { holdAgainst } from '../support/oracle/hold-against.ts'
import { withModelsOf } from '../support/oracle/more-usage.ts'
import type { RawEvent } from '../support/oracle/raw-events.ts'
import { removeFolders, type TestState } from '../support/state.ts'
import { closeThreads, openThread, unscoredState } from '../support/thread.ts'

// A folder with amplitude/*.zip and mixpanel/*.jsonl of a real log; none comes with Ripen.
const FOLDER = process.env['RIPEN_TEST_REAL_EXPORTS'] ?? ''
const NEEDS = 'set RIPEN_TEST_REAL_EXPORTS to a folder of exports'
const isThere = FOLDER !== '' && existsSync(join(FOLDER, 'amplitude'))
if (!isThere) process.stdout.write(`skipped: the real log against the oracle; ${NEEDS}\n`)
const real = isThere ? describe : describe.skip
const FIXTURES = join(import.meta.dirname, '../fixtures')
const DAY_MS = 86_400_000

real(`a real log, scored, and a slow reading of the model files over it (${NEEDS})`, () => {
  let mappings: MappingFiles = {}
  let events: readonly RawEvent[] = []
  let state: TestState | undefined
  let last = 0

  beforeAll(async () => {
    const shipped = await readMappingFolder(join(FIXTURES, 'real-log'))
    mappings = await withModelsOf(shipped, join(FIXTURES, 'real-log-signals'))
    events = await readExports(FOLDER)
    last = events.reduce((latest, { at }) => Math.max(latest, at), 0)
    const files = { amplitude: join(FOLDER, 'amplitude'), mixpanel: join(FOLDER, 'mixpanel') }
    state = await unscoredState({ mappings, now: new Date(last + DAY_MS) }, files)
  }, 1_800_000)
  afterEach(closeThreads)
  afterAll(async () => {
    await state?.close()
    await removeFolders()
  })

  it.each([
    { name: 'at a midnight two months before the last event', days: -60, afterMidnight: 0 },
    { name: 'on the morning after the last event', days: 1, afterMidnight: DAY_MS / 3 },
  ])(
    'agree on everybody by every model $name',
    async ({ days, afterMidnight }) => {
      const asOf = new Date((Math.floor(last / DAY_MS) + days) * DAY_MS + afterMidnight)
      const thread = await openThread({ mappings, now: asOf, ...(state ? { origin: state } : {}) })
      await thread.score()
      const held = await holdAgainst(thread.app.context.db, mappings, events, asOf)
      for (const { model, differences, subjects, above0 } of held) {
        expect([model, differences.slice(0, 20)]).toEqual([model, []])
        process.stdout.write(`${model}: ${subjects} agree, ${above0} of them above 0\n`)
        expect(above0).toBeGreaterThan(10)
      }
    },
    1_800_000,
  )
})
