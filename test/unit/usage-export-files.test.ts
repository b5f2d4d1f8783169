import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import { createAmplitudeSource } from '../../connectors/sources/amplitude/amplitude-source.ts'
import { createMixpanelSource } from '../../connectors/sources/mixpanel/mixpanel-source.ts'
import { ConfigError } from '../../src/core/errors.ts'

let dir = ''
beforeAll(async () => {
  dir = await mkdtemp(join(tmpdir(), 'ripen exports '))
  await mkdir(join(dir, 'empty'))
  await writeFile(join(dir, 'notes.txt'), 'no export')
})
afterAll(() => rm(dir, { recursive: true, force: true }))

const baseUrl = 'http://127.0.0.1:9'
const amplitude = createAmplitudeSource({ baseUrl, apiKey: 'a', secretKey: 'b', dueHours: 3 })
const mixpanel = createMixpanelSource({
  dataUrl: baseUrl,
  queryUrl: baseUrl,
  projectId: '1',
  serviceAccount: 'a',
  secret: 'b',
  timezone: 'UTC',
})

describe.each([
  { source: amplitude, ending: 'zip' },
  { source: mixpanel, ending: 'jsonl' },
])('export files of $source.name', ({ source, ending }) => {
  const open = async (name: string) => {
    const signal = AbortSignal.timeout(10_000)
    for await (const _batch of source.open([join(dir, name)], join(dir, 'empty'), signal));
  }

  it.each([
    { name: 'a file that is not there', path: `missing.${ending}`, says: 'cannot be read' },
    { name: 'a folder that is not there', path: 'missing', says: 'cannot be read' },
    { name: 'a folder without one', path: 'empty', says: 'no ' },
    { name: 'a file of another kind', path: 'notes.txt', says: 'cannot be read' },
  ])('are asked for by path and --files where there is $name', async ({ path, says }) => {
    const failure = await open(path).catch((error: unknown) => error)
    expect(failure).toBeInstanceOf(ConfigError)
    expect(String(failure)).toContain(join(dir, path))
    expect(String(failure)).toContain(says)
    expect(String(failure)).toContain('--files')
  })
})
