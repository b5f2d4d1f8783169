import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import { writeCompanyFiles } from '../../sandbox/company/company-files.ts'
import { sampleCompany } from '../../sandbox/company/sample-company.ts'
import type { MappingFiles } from '../../src/core/mapping/mapping-set.ts'
import { readMappingFolder } from '../../src/infra/mappings/folder.ts'
import { makeFolder } from '../support/embedded-processes.ts'
import { readRows } from '../support/oracle/export-files.ts'
import { type Held, holdAgainst } from '../support/oracle/hold-against.ts'
import { withModelsOf } from '../support/oracle/more-usage.ts'
import { removeFolders, type TestState } from '../support/state.ts'
import { closeThreads, openThread, unscoredState } from '../support/thread.ts'

const OWN = join(import.meta.dirname, '../../mappings')
const FIXTURES = join(import.meta.dirname, '../fixtures/every-signal')
const END = new Date('2026-09-10T00:00:00Z')
/** Some 31,000 events. */
const DAYS = 14

let held: readonly Held[] = []
let origin: TestState | undefined

/** The shipped models, the presets and those that use every kind of signal, on one tracking plan. */
async function everyModel(): Promise<MappingFiles> {
  const files: Record<string, string> = {}
  for (const [name, text] of Object.entries(await readMappingFolder(OWN))) {
    files[name.replace(/^presets/, 'models')] = text
  }
  return withModelsOf(files, FIXTURES)
}

beforeAll(async () => {
  const company = sampleCompany({ end: END, days: DAYS })
  const exports = await writeCompanyFiles(company, await makeFolder('company'))
  const mappings = await everyModel()
  const rows = { amplitude: new Map(), mixpanel: new Map() }
  origin = await unscoredState({ mappings, now: END, rows }, exports)
  const thread = await openThread({ origin, mappings, now: END, rows })
  await thread.score()
  held = await holdAgainst(thread.app.context.db, mappings, readRows(company), END)
}, 120_000)
afterAll(async () => {
  await closeThreads()
  await origin?.close()
  await removeFolders()
})

const modelNamed = (name: string): Held => {
  const found = held.find(({ model }) => model === name)
  if (!found) throw new Error(`no scores by ${name}`)
  return found
}

describe('the sample company, scored, and a slow reading of the model files over its raw events', () => {
  it.each([
    { model: 'people', above: 250 },
    { model: 'accounts', above: 50 },
    { model: 'expansion', above: 20 },
    { model: 'weighted', above: 300 },
    { model: 'frequency', above: 100 },
    { model: 'thresholds', above: 300 },
    { model: 'every-signal-people', above: 1000 },
    { model: 'every-signal-accounts', above: 250 },
  ])('agree on everybody by the model $model', ({ model, above }) => {
    const { differences, above0 } = modelNamed(model)
    expect(differences.slice(0, 20)).toEqual([])
    expect(above0).toBeGreaterThan(above)
  })

  it.each(['every-signal-people', 'every-signal-accounts'])(
    'have somebody for every signal of %s',
    (model) => {
      const { signals, answers } = modelNamed(model)
      const given = [...answers.values()].flatMap(({ contributions }) => contributions)
      const ids = new Set(given.map(({ id }) => id))
      expect([...signals, 'limit', 'excluded'].filter((id) => !ids.has(id))).toEqual([])
    },
  )
})
