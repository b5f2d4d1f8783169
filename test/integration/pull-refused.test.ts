import { afterAll, afterEach, describe, expect, it } from '@jest/globals'
import { ConfigError } from '../../src/core/errors.ts'
import { removeFolders } from '../support/state.ts'
import { closeThreads, NOW, openThread } from '../support/thread.ts'

const HOUR_MS = 3_600_000
afterEach(closeThreads)
afterAll(removeFolders)

describe('an hour that Amplitude never gives', () => {
  it.each([400, 504])(
    'answered with %i, is told, and every other hour comes in',
    async (status) => {
      const thread = await openThread()
      const { amplitude } = thread.vendors
      const over = new Date(NOW.getTime() - 3 * HOUR_MS).toISOString().slice(0, 13)
      const rows = [...thread.usage.amplitudeRows].filter(([hour, some]) => {
        return hour <= over && some.length > 0
      })
      const hours = rows.map(([hour]) => hour).sort()
      const refused = hours[Math.floor(hours.length / 2)] ?? ''
      const asked = refused.replaceAll('-', '')
      const holdsIt = (range: { from: string; to: string } | null) =>
        range !== null && range.from <= asked && asked <= range.to
      amplitude.faults.add({ kind: 'status', status }, { times: 10_000, when: holdsIt })
      const failure = await thread.pull(['amplitude']).catch((error: unknown) => error)
      expect(failure).toBeInstanceOf(ConfigError)
      expect((failure as ConfigError).message).toContain(`the hour ${refused}`)
      const stored = await windowsOf(thread)
      expect(hours.filter((hour) => !stored.includes(hour))).toEqual([refused])
      amplitude.faults.clear()
      await thread.pull(['amplitude'])
      expect(await windowsOf(thread)).toEqual(expect.arrayContaining(hours))
    },
  )
})

async function windowsOf(thread: Awaited<ReturnType<typeof openThread>>): Promise<string[]> {
  const rows = await thread.app.context.db
    .selectFrom('source_window')
    .select('window_key')
    .where('source', '=', 'amplitude')
    .where('rows', '>', 0)
    .execute()
  return rows.map((row) => row.window_key)
}
