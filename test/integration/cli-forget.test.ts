import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import { ripen, ripenJson } from '../support/cli.ts'
import { type CliWorld, openCliWorld } from '../support/cli-world.ts'
import { makeFolder } from '../support/embedded-processes.ts'
import { mappingFiles, writeMappings } from '../support/mapping-files.ts'
import { WHO } from '../support/small-usage.ts'
import type { TestState } from '../support/state.ts'

let world: CliWorld
let home: TestState
beforeAll(async () => {
  world = await openCliWorld()
  home = await world.home('pulled')
})
afterAll(() => world.close())

describe('ripen forget', () => {
  it('removes nothing where nobody can be asked and --yes is not given', async () => {
    const { code, stdout, stderr } = await ripen(['forget', WHO.quiet], home.environment)
    expect(stderr).toContain('--yes')
    expect({ code, stdout }).toEqual({ code: 2, stdout: '' })
    const { code: known } = await ripen(['explain', WHO.quiet], home.environment)
    expect(known).toBe(0)
  })

  it('refuses what is no address', async () => {
    const { code, stderr } = await ripen(['forget', 'jon', '--yes'], home.environment)
    expect(stderr).toContain('jon is no e-mail address')
    expect(code).toBe(2)
  })

  it('prints a receipt that names nobody, and in words too', async () => {
    const receipt = await ripenJson(['forget', ` ${WHO.quiet} `, '--yes'], home.environment)
    expect(receipt).toMatchObject({
      finishedAt: expect.any(String),
      removed: { rows: { person: 1, identity_node: 2 }, files: [{ rows: 1 }, { rows: 1 }] },
      inCrm: [],
      hashes: 2,
    })
    expect(JSON.stringify(receipt)).not.toMatch(/jon/)
    const { code } = await ripen(['explain', WHO.quiet], home.environment)
    expect(code).toBe(2)
    const again = await ripen(['forget', WHO.latecomer, '--yes'], home.environment)
    expect(again.stdout).toMatch(/^Forgotten at .* Receipt [0-9a-f-]{36}$/m)
    expect(again.stdout).toMatch(/^ {2}identity_node +4 rows$/m)
    expect(again.stdout).not.toContain('ivy')
    expect(again.code).toBe(0)
  })
})

describe('a declared source', () => {
  it('is pulled from files by its name, and shows in status and events', async () => {
    const dir = await makeFolder('declared')
    const source = `version: 1
format: csv
columns:
  time: { column: at }
  event: { column: what }
  user: who
`
    const mappings = await writeMappings(join(dir, 'mappings'), {
      ...(await mappingFiles()),
      'sources/app-log.yaml': source,
    })
    const path = join(dir, 'log.csv')
    await writeFile(path, 'at,what,who,email\n2026-01-05T10:00:00Z,Opened,7,kim@files.dev\n')
    const args = ['pull', '--source', 'app-log', '--files', path, '--mappings', mappings]
    const status = await ripenJson(args, home.environment)
    expect(status).toMatchObject({
      sources: { 'app-log': { events: 1, firstDay: '2026-01-05', lastDay: '2026-01-05' } },
    })
    const { events } = await ripenJson<{ events: unknown[] }>(['events'], home.environment)
    expect(events).toContainEqual(
      expect.objectContaining({ source: 'app-log', name: 'Opened', use: 'unmapped' }),
    )
    const { stdout } = await ripen(['explain', 'kim@files.dev'], home.environment)
    expect(stdout).toContain('app-log/u:7')
    const nothing = await ripen(['pull', '--source', 'app-log'], home.environment)
    expect(nothing.stderr).toMatch(
      /app-log is not connected; set --files PATH: it is read from files only/,
    )
    expect(nothing.code).toBe(2)
    const unknown = await ripen(['pull', '--source', 'web', '--files', path], home.environment)
    expect(unknown.stderr).toContain('take one of amplitude, mixpanel, segment, app-log')
    expect(unknown.code).toBe(2)
  })
})
