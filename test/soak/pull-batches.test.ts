import { mkdir, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterEach, describe, expect, it } from '@jest/globals'
import { mappingFiles } from '../support/mapping-files.ts'
import { smallUsage, startOf } from '../support/small-usage.ts'
import { closeThreads, NOW, openThread, type Thread } from '../support/thread.ts'
import { writeExports } from '../support/usage-log.ts'

afterEach(closeThreads)

const mixpanelLine = (id: number, day: string): string =>
  JSON.stringify({
    event: 'Query Run',
    properties: {
      time: Date.parse(`${day}T10:00:00Z`) / 1000 + (id % 60),
      distinct_id: `u${id % 7}`,
      $user_id: `u${id % 7}`,
      $insert_id: `i${id}`,
      mp_processing_time_ms: Date.parse(`${day}T10:01:00Z`),
      // Makes files large enough for batches of their own.
      note: 'x'.repeat(5_000),
    },
  })

async function writeLines(path: string, ids: readonly number[], day: string): Promise<void> {
  await writeFile(path, ids.map((id) => `${mixpanelLine(id, day)}\n`).join(''))
}

const numbers = (from: number, to: number) =>
  Array.from({ length: to - from }, (_, index) => from + index)

async function windowsOf(thread: Thread) {
  return thread.app.context.db
    .selectFrom('source_window')
    .select(['window_key', 'rows', 'content_hash'])
    .where('source', '=', 'mixpanel')
    .orderBy('window_key')
    .execute()
}

describe('export files that are read in several batches', () => {
  it('put a day that lies in several of them into one window', async () => {
    const [parts, whole] = [await openThread(), await openThread()]
    const dir = join(parts.app.context.tmpDir, 'exports')
    await mkdir(dir, { recursive: true })
    const day = '2026-09-05'
    // 5 kB a line: two files above the size of a batch.
    await writeLines(join(dir, 'a.jsonl'), numbers(0, 42_000), day)
    await writeLines(join(dir, 'b.jsonl'), numbers(42_000, 42_100), day)
    await parts.pull(['mixpanel'], [join(dir, 'a.jsonl'), join(dir, 'b.jsonl')])
    const got = await windowsOf(parts)
    expect(got).toMatchObject([{ window_key: day, rows: 42_100 }])

    await writeLines(join(dir, 'c.jsonl'), numbers(0, 42_100), day)
    await whole.pull(['mixpanel'], [join(dir, 'c.jsonl')])
    expect(await windowsOf(whole)).toEqual(got)
    await rm(dir, { recursive: true })
  })

  it('keep nothing when a later one is damaged', async () => {
    const thread = await openThread()
    const dir = join(thread.app.context.tmpDir, 'exports')
    await mkdir(dir, { recursive: true })
    await writeLines(join(dir, 'a.jsonl'), numbers(0, 42_000), '2026-09-05')
    await writeFile(join(dir, 'b.jsonl'), '{"event":"Query Run","properties":{"ti\n')
    const pulling = thread.pull(['mixpanel'], [join(dir, 'a.jsonl'), join(dir, 'b.jsonl')])
    await expect(pulling).rejects.toThrow(/b\.jsonl line 1/)
    expect(await windowsOf(thread)).toEqual([])
    await rm(dir, { recursive: true })
  })
})

describe('a property that is looked at for the first time', () => {
  const withTrait = async () => {
    const files = await mappingFiles()
    const usage = files['usage.yaml'] ?? ''
    return { ...files, 'usage.yaml': usage.replace('traits:', 'traits:\n  rows: [event.rows]') }
  }
  const traitsOf = async (thread: Thread) => {
    const rows = await thread.app.context.db.selectFrom('person').select('told').execute()
    return rows.filter((row) => 'rows' in (row.told as object)).length
  }

  it('makes windows that were stored without it due at a vendor that is connected', async () => {
    const thread = await openThread()
    await thread.pull()
    await thread.publish(await withTrait())
    expect(await traitsOf(thread)).toBe(0)
    await thread.pull()
    expect(await traitsOf(thread)).toBeGreaterThan(0)
    thread.vendors.amplitude.resetCalls()
    await thread.pull(['amplitude'])
    expect(thread.vendors.amplitude.calls()).toEqual([])
  })

  it('is there once export files are read again, though they hold the same rows', async () => {
    const thread = await openThread({ start: startOf(NOW) })
    const dir = join(thread.app.context.tmpDir, 'exports')
    const exports = await writeExports(smallUsage(NOW), dir)
    await thread.pull(['amplitude'], [exports.amplitude])
    await thread.publish(await withTrait())
    await thread.pull(['amplitude'], [exports.amplitude])
    expect(await traitsOf(thread)).toBeGreaterThan(0)
  })
})

it('more than DuckDB may hold is told with the variable that lets it', async () => {
  // Only a plan that keeps everything reads what is wide.
  const mappings = await mappingFiles({
    file: 'usage.yaml',
    from: 'version: 1',
    to: 'version: 1\nkeep: all',
  })
  const environment = { RIPEN_DUCKDB_MEMORY_MB: '128' }
  const thread = await openThread({ mappings, environment })
  const dir = join(thread.app.context.tmpDir, 'exports')
  await mkdir(dir, { recursive: true })
  const wide = mixpanelLine(1, '2026-09-05').replace('"note":"', `"note":"${'y'.repeat(100_000)}`)
  await writeFile(join(dir, 'a.jsonl'), `${wide}\n`.repeat(500))
  const pulling = thread.pull(['mixpanel'], [join(dir, 'a.jsonl')])
  await expect(pulling).rejects.toThrow(/raise it, or set RIPEN_DUCKDB_THREADS=1/)
  await rm(dir, { recursive: true })
})
