import { appendFile, mkdir, readdir, readFile, writeFile } from 'node:fs/promises'
import { createServer, type Server } from 'node:net'
import { join } from 'node:path'
import { afterAll, afterEach, describe, expect, it } from '@jest/globals'
import pg from 'pg'
import { ConfigError } from '../../src/core/errors.ts'
import { acquireEmbeddedPostgres } from '../../src/infra/postgres/embedded/acquire.ts'
import { findPlatformPackage } from '../../src/infra/postgres/embedded/platform.ts'
import {
  cleanUp,
  clusterOf,
  countStarts,
  dropTemplate,
  eventually,
  makeFolder,
  makeUsedFolder,
  serverPid,
  startGuest,
} from '../support/embedded-processes.ts'

afterEach(cleanUp)
afterAll(dropTemplate)

describe('the embedded PostgreSQL', () => {
  it('starts from nothing in a folder with spaces, answers, and is gone after release', async () => {
    const dataDir = join(await makeFolder(), 'not there yet')
    const server = await acquireEmbeddedPostgres({ dataDir })
    const [settings] = await query(
      server.url,
      `select current_setting('server_version') as version, current_setting('fsync') as fsync,
              current_setting('listen_addresses') as addresses, current_database() as database,
              pg_encoding_to_char(encoding) as encoding, datcollate as locale
         from pg_database where datname = current_database()`,
    )
    expect(settings).toEqual({
      version: expect.stringMatching(/^18\./),
      fsync: 'on',
      addresses: '127.0.0.1',
      database: 'ripen',
      encoding: 'UTF8',
      locale: 'C',
    })
    await Promise.all([server.release(), server.release()])
    expect(await serverPid(dataDir)).toBeUndefined()
    await expect(query(server.url, 'select 1')).rejects.toThrow('ECONNREFUSED')
  })

  it('asks for the password, which only its owner can read', async () => {
    const dataDir = await makeUsedFolder()
    const server = await acquireEmbeddedPostgres({ dataDir })
    const url = new URL(server.url)
    url.password = 'wrong'
    await expect(query(url.href, 'select 1')).rejects.toThrow('password authentication failed')
    await server.release()
  })

  it('serves four commands that start at the same moment with one set-up and one server', async () => {
    const dataDir = await makeFolder()
    const labels = ['a', 'b', 'c', 'd']
    const guests = labels.map((label) => startGuest(dataDir, { label }))
    const seen = await Promise.all(guests.map((guest) => guest.ready))
    expect(new Set(seen.map(({ url }) => url)).size).toBe(1)
    expect(await Promise.all(guests.map((guest) => guest.leave()))).toEqual([0, 0, 0, 0])
    expect(await serverPid(dataDir)).toBeUndefined()
    expect(await countStarts(dataDir)).toBe(1)
    const again = startGuest(dataDir, { label: 'e' })
    expect((await again.ready).labels).toEqual([...labels, 'e'])
    expect(await again.leave()).toBe(0)
    expect((await readdir(dataDir)).sort()).toEqual(['pg', 'postgres.log'])
  })

  it('survives commands that come and go while others leave', async () => {
    const dataDir = await makeUsedFolder()
    const comeAndGo = async (label: string) => {
      const guest = startGuest(dataDir, { label })
      await guest.ready
      return guest.leave()
    }
    const lanes = ['a', 'b', 'c'].map(async (lane) => {
      const codes = []
      for (const turn of [1, 2, 3]) codes.push(await comeAndGo(`${lane}${turn}`))
      return codes
    })
    expect((await Promise.all(lanes)).flat()).toEqual(Array(9).fill(0))
    expect(await serverPid(dataDir)).toBeUndefined()
  })

  it('keeps two data folders apart', async () => {
    const [one, two] = [await makeUsedFolder('one'), await makeUsedFolder('two')]
    const [first, second] = await Promise.all([
      acquireEmbeddedPostgres({ dataDir: one }),
      acquireEmbeddedPostgres({ dataDir: two }),
    ])
    expect(new URL(first.url).port).not.toBe(new URL(second.url).port)
    await query(first.url, 'create table mine ()')
    await expect(query(second.url, 'select from mine')).rejects.toThrow('does not exist')
    await Promise.all([first.release(), second.release()])
  })
})

describe('after a kill', () => {
  it('Ctrl-C or SIGKILL of the command that started the server leaves it to the next', async () => {
    const dataDir = await makeUsedFolder()
    const owner = startGuest(dataDir, { label: 'owner', ownGroup: true })
    await owner.ready
    const pid = await serverPid(dataDir)
    process.kill(-owner.pid, 'SIGINT')
    await owner.kill('SIGKILL')
    const heir = startGuest(dataDir, { label: 'heir' })
    expect((await heir.ready).labels).toEqual(['heir', 'owner'])
    expect(await serverPid(dataDir)).toBe(pid)
    expect(await heir.leave()).toBe(0)
    expect(await serverPid(dataDir)).toBeUndefined()
  })

  it('a killed server recovers for the next command, though its port and its process id are taken', async () => {
    const dataDir = await makeUsedFolder()
    const owner = startGuest(dataDir, { label: 'owner' })
    const { url } = await owner.ready
    await owner.kill('SIGKILL')
    process.kill((await serverPid(dataDir)) ?? 0, 'SIGKILL')
    const port = Number(new URL(url).port)
    const squatter = await eventually('the port is free', () => occupy(port))
    const file = join(dataDir, 'pg', 'postmaster.pid')
    const text = await readFile(file, 'utf8')
    await writeFile(file, text.replace(/^\d+/, String(process.pid)))
    const heir = startGuest(dataDir, { label: 'heir' })
    const found = await heir.ready
    expect(found.labels).toEqual(['heir', 'owner'])
    expect(new URL(found.url).port).not.toBe(String(port))
    expect(await heir.leave()).toBe(0)
    await new Promise((resolve) => squatter.close(resolve))
  })

  it('a killed server comes back on its port for the process that uses it', async () => {
    const dataDir = await makeUsedFolder()
    const server = await acquireEmbeddedPostgres({ dataDir })
    const { url } = server
    await query(url, 'create table kept ()')
    process.kill((await serverPid(dataDir)) ?? 0, 'SIGKILL')
    await eventually('it answers again', () => query(url, 'select from kept').catch(() => false))
    expect(server.url).toBe(url)
    await server.release()
    expect(await serverPid(dataDir)).toBeUndefined()
  })

  it('a crash of one backend does not make the server forget who uses it', async () => {
    const dataDir = await makeUsedFolder()
    const server = await acquireEmbeddedPostgres({ dataDir })
    const guests = `select pid from pg_locks where locktype = 'advisory' and mode = 'ShareLock'`
    const [place] = await query(server.url, guests)
    process.kill(Number(place?.['pid']), 'SIGKILL')
    await eventually('it has its place again', async () => {
      const places = await query(server.url, guests).catch(() => [])
      return places.length === 1 && places[0]?.['pid'] !== place?.['pid']
    })
    const passerBy = startGuest(dataDir)
    await passerBy.ready
    expect(await passerBy.leave()).toBe(0)
    expect(await query(server.url, 'select 1 as one')).toEqual([{ one: 1 }])
    await server.release()
  })

  it.each([
    { moment: 'the start lock is taken', sign: /^pg\.lock$/ },
    { moment: 'set-up is half-way', sign: /^pg-setup-[^/]+\/data\/postgresql\.auto\.conf$/ },
    { moment: 'the catalogue is written', sign: /^pg-setup-[^/]+\/data\/base\/5$/ },
    { moment: 'set-up is complete', sign: /^pg$/ },
    { moment: 'the server has its lock', sign: /^pg\/postmaster\.pid$/ },
  ])('a first start killed when $moment is repaired by the next', async ({ sign }) => {
    const dataDir = await makeFolder()
    const victim = startGuest(dataDir, { label: 'victim' })
    await eventually(String(sign), async () => {
      return (await listTree(dataDir, 3)).some((path) => sign.test(path))
    })
    await victim.kill('SIGKILL')
    const heir = startGuest(dataDir, { label: 'heir' })
    expect((await heir.ready).labels).toEqual(['heir'])
    expect(await heir.leave()).toBe(0)
    expect(await serverPid(dataDir)).toBeUndefined()
    const last = startGuest(dataDir, { label: 'last' })
    expect((await last.ready).labels).toEqual(['heir', 'last'])
    await last.leave()
    expect((await readdir(dataDir)).sort()).toEqual(['pg', 'postgres.log'])
  })
})

describe('what it cannot do, it explains', () => {
  it('names a platform that has no package, and the way out', () => {
    const find = () => findPlatformPackage('sunos', 'sparc')
    expect(find).toThrow(ConfigError)
    expect(find).toThrow(/sunos on sparc.*DATABASE_URL/)
  })

  it('shows the last words of a server that does not start', async () => {
    const dataDir = await makeUsedFolder()
    await appendFile(join(await clusterOf(dataDir), 'postgresql.conf'), 'no_such_setting = 1\n')
    const failure = await acquireEmbeddedPostgres({ dataDir }).catch((error) => error)
    expect(failure).toBeInstanceOf(ConfigError)
    expect(failure.message).toMatch(/did not start .*postgres\.log.*no_such_setting/s)
  })

  it.each([
    { name: 'data of another version', files: { PG_VERSION: '15\n' }, says: /PostgreSQL 15/ },
    { name: 'a folder of something else', files: { 'notes.txt': 'x' }, says: /no PostgreSQL/ },
  ])('leaves $name alone', async ({ files, says }) => {
    const dataDir = await makeFolder()
    await mkdir(join(dataDir, 'pg'))
    for (const [name, text] of Object.entries(files)) {
      await writeFile(join(dataDir, 'pg', name), text)
    }
    await expect(acquireEmbeddedPostgres({ dataDir })).rejects.toThrow(says)
    expect(await readdir(join(dataDir, 'pg'))).toEqual(Object.keys(files))
  })
})

function occupy(port: number): Promise<Server | undefined> {
  return new Promise((resolve) => {
    const server = createServer()
    server.on('error', () => resolve(undefined))
    server.listen(port, '127.0.0.1', () => resolve(server))
  })
}

async function query(url: string, text: string): Promise<Record<string, unknown>[]> {
  const client = new pg.Client({ connectionString: url })
  client.on('error', () => undefined)
  try {
    await client.connect()
    return (await client.query(text)).rows
  } finally {
    await client.end().catch(() => undefined)
  }
}

/** Paths below a folder that is being written to, without an error for what vanishes meanwhile. */
async function listTree(folder: string, depth: number, prefix = ''): Promise<readonly string[]> {
  const entries = await readdir(folder, { withFileTypes: true }).catch(() => [])
  const below = await Promise.all(
    entries.map(async (entry) => {
      const path = `${prefix}${entry.name}`
      if (!entry.isDirectory() || depth === 0) return [path]
      return [path, ...(await listTree(join(folder, entry.name), depth - 1, `${path}/`))]
    }),
  )
  return below.flat()
}
