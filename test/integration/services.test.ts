import { execFile } from 'node:child_process'
import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { afterAll, afterEach, describe, expect, it } from '@jest/globals'
import pg from 'pg'
import { createHome, createState, onServices, removeFolders } from '../support/state.ts'
import { closeThreads, openThread } from '../support/thread.ts'

afterEach(closeThreads)
afterAll(removeFolders)

const root = join(import.meta.dirname, '../..')
const NOBODY = {
  DATABASE_URL: 'postgres://ripen:sesame@127.0.0.1:9/test',
  REDIS_URL: 'redis://:sesame@127.0.0.1:9',
}

async function runServices(environment: Record<string, string>) {
  const env = { PATH: process.env['PATH'], ...environment }
  const script = join(root, 'test/support/run-services.ts')
  return promisify(execFile)(process.execPath, [script], { env }).then(
    () => ({ code: 0, stderr: '' }),
    ({ code, stderr }: { code: number; stderr: string }) => ({ code, stderr }),
  )
}

describe('npm run test:services', () => {
  it.each([
    { given: {}, missing: ['DATABASE_URL', 'REDIS_URL'] },
    { given: { DATABASE_URL: NOBODY.DATABASE_URL }, missing: ['REDIS_URL'] },
    { given: { REDIS_URL: NOBODY.REDIS_URL }, missing: ['DATABASE_URL'] },
    { given: { ...NOBODY, REDIS_URL: '' }, missing: ['REDIS_URL'] },
  ])('says that $missing must be set, and ends with 2', async ({ given, missing }) => {
    const { code, stderr } = await runServices(given)
    const named = stderr.match(/^ {2}(\w+) /gm)?.map((text) => text.trim())
    expect({ code, named }).toEqual({ code: 2, named: missing })
  })

  it('says who does not answer, without the password, and ends with 2', async () => {
    const { code, stderr } = await runServices(NOBODY)
    expect(stderr).toMatch(/PostgreSQL at DATABASE_URL does not answer \(.*ECONNREFUSED/)
    expect(stderr).not.toContain('sesame')
    expect(code).toBe(2)
  })
})

describe('a state of a test', () => {
  it('is on the backend that the run asks for', async () => {
    const thread = await openThread()
    await thread.run()
    const { rows } = await thread.app.context.pool.query(
      `select current_setting('server_version_num')::int as version,
        to_regclass('ripen_queue.job') is not null as queues`,
    )
    // On services, the queues are on Redis, and PostgreSQL holds none.
    expect(rows[0]).toMatchObject({ queues: !onServices() })
    expect(rows[0].version).toBeGreaterThanOrEqual(150_000)
  })

  it('is nobody else’s, starts empty, and is gone afterwards', async () => {
    const [one, two] = [await createState(), await createState()]
    const ask = async (url: string | null, text: string) => {
      const client = new pg.Client({ connectionString: url ?? '' })
      await client.connect()
      try {
        return (await client.query(text)).rows
      } finally {
        await client.end()
      }
    }
    const [first] = await ask(one.databaseUrl, 'select id from installation')
    const [second] = await ask(two.databaseUrl, 'select id from installation')
    expect(first?.id).not.toBe(second?.id)
    expect(await ask(one.databaseUrl, 'select * from work')).toEqual([])
    await one.close()
    await expect(ask(one.databaseUrl, 'select 1')).rejects.toThrow('does not exist')
    await two.close()
  })

  it('for processes of their own holds no queue and no server that runs', async () => {
    const home = await createHome()
    const names = await readdir(home.dataDir)
    expect(names).not.toContain('lake')
    if (!onServices()) {
      const pids = await readFile(join(home.dataDir, 'pg', 'postmaster.pid')).catch(() => null)
      expect(pids).toBeNull()
    }
    await home.close()
  })
})
