import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { gzipSync } from 'node:zlib'
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import { eventsSql as amplitudeSql } from '../../connectors/sources/amplitude/events-sql.ts'
import { eventsSql as mixpanelSql } from '../../connectors/sources/mixpanel/events-sql.ts'
import { ConfigError } from '../../src/core/errors.ts'
import { readError } from '../../src/infra/lake/read-error.ts'
import { openTempLake, type TempLake } from '../support/lake-temp.ts'

let lake: TempLake
beforeAll(async () => {
  lake = await openTempLake()
})
afterAll(() => lake.close())

const MIXPANEL = '2026-09-01_2026-09-02.jsonl'
const AMPLITUDE = '2026-09-01T05~0.json.gz'
const goodRow = '{"event":"a","event_type":"a","properties":{"time":1788256800}}'

/** Lines with one bad one at a line number, from 1. */
function linesWith(bad: string, line: number, total: number): string {
  const lines = Array.from({ length: total }, (_, i) => (i + 1 === line ? bad : goodRow))
  return `${lines.join('\n')}\n`
}

async function failureOf(name: string, content: string | Buffer): Promise<ConfigError> {
  const path = join(lake.dir, name)
  await writeFile(path, content)
  const files = [{ path, windowKey: null }]
  const { sql, params } = name === MIXPANEL ? mixpanelSql(files, 'UTC') : amplitudeSql(files)
  const outcome = await lake.duck
    .connect((c) => c.rows(`select count(*), sum(hash(event_key)) from (${sql})`, params))
    .catch((error: unknown) => readError(error))
  expect(outcome).toBeInstanceOf(ConfigError)
  return outcome as ConfigError
}

/** Everything that a log might show of an error. */
function shown(error: unknown): string {
  if (!(error instanceof Error)) return String(error)
  return `${error.message}\n${error.cause === undefined ? '' : shown(error.cause)}`
}

const rest = 'cannot be read as JSON lines of this vendor; nothing of it was kept. Export it again'

describe('an export file that cannot be read', () => {
  it.each([
    { name: 'a line that is cut', bad: '{"event":"ann@acme.com', line: 2, total: 3 },
    { name: 'a first line that is no JSON', bad: 'ann@acme.com said hello', line: 1, total: 3 },
    { name: 'a last line that is no JSON', bad: "'ann@acme.com'", line: 4, total: 4 },
    { name: 'a bad line far down', bad: '{"event":', line: 3000, total: 5000 },
    { name: 'a list', bad: '["ann@acme.com"]', line: 3, total: 4 },
    { name: 'a text', bad: '"it\'s ann@acme.com"', line: 3, total: 4 },
    { name: 'a list far down', bad: '[1]', line: 3000, total: 5000 },
  ])('of Mixpanel is told with its line: $name', async ({ bad, line, total }) => {
    const failure = await failureOf(MIXPANEL, linesWith(bad, line, total))
    expect(failure.message).toBe(`${MIXPANEL} line ${line} ${rest}`)
    expect(shown(failure)).not.toMatch(/ann@acme|hello|said/)
  })

  it.each([
    { name: 'a line that is cut', bad: '{"uuid":"ann@acme.com', line: 2 },
    { name: 'a list', bad: '["ann@acme.com"]', line: 3 },
  ])('of Amplitude is told with its line: $name', async ({ bad, line }) => {
    const failure = await failureOf(AMPLITUDE, gzipSync(linesWith(bad, line, 4)))
    expect(failure.message).toBe(`${AMPLITUDE} line ${line} ${rest}`)
    expect(shown(failure)).not.toContain('ann@acme')
  })

  it.each([
    { line: 2, total: 3, from: 1 },
    { line: 3000, total: 5000, from: 2049 },
  ])('of Amplitude with a wrong time on line $line is told from line $from on', async (given) => {
    const bad = '{"event_type":"a","event_time":"ann@acme.com"}'
    const failure = await failureOf(AMPLITUDE, gzipSync(linesWith(bad, given.line, given.total)))
    expect(failure.message).toBe(`${AMPLITUDE}, from line ${given.from} on, ${rest}`)
    expect(shown(failure)).not.toContain('ann@acme')
  })

  it('of Amplitude that is not compressed is told by its name', async () => {
    const failure = await failureOf(AMPLITUDE, 'ann@acme.com')
    expect(failure.message).toBe(`${AMPLITUDE} ${rest}`)
    expect(shown(failure)).not.toContain('ann@acme')
  })
})

describe('an error', () => {
  it.each([
    { name: 'that is no matter of files comes back as it is', error: new Error('Out of memory') },
    { name: 'that is no error comes back as it is', error: 'stop' },
  ])('$name', ({ error }) => {
    expect(readError(error)).toBe(error)
  })

  it('that quotes a value without a file shows neither the value nor an address', () => {
    const error = new Error(
      "Conversion Error: Could not convert string 'o'neil ann@acme.com' to DOUBLE",
    )
    const failure = readError(error)
    expect((failure as ConfigError).message).toBe(`an export file ${rest}`)
    expect(shown(failure)).not.toMatch(/ann@acme|neil/)
    expect(shown(failure)).toContain('Conversion Error')
  })
})
