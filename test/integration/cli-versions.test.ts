import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import { endCommands, ripen, ripenJson } from '../support/cli.ts'
import { makeFolder } from '../support/embedded-processes.ts'
import { mappingFiles, writeMappings } from '../support/mapping-files.ts'
import { createHome, removeFolders, type TestState } from '../support/state.ts'

interface Applied {
  readonly version: number
  readonly published: boolean
  readonly changes: readonly unknown[]
  readonly effects: unknown
}

interface Versions {
  readonly versions: readonly {
    readonly version: number
    readonly by: string
    readonly note: string | null
    readonly rolledBackTo: number | null
  }[]
}

let home: TestState
let environment: Record<string, string>
let folder: string
beforeAll(async () => {
  home = await createHome()
  folder = await writeMappings(await makeFolder('mappings'), await mappingFiles())
  environment = { ...home.environment, RIPEN_MAPPINGS_DIR: folder }
})
afterAll(async () => {
  await endCommands()
  await home.close()
  await removeFolders()
})

const grade = { file: 'models/people.yaml', from: 'from: 80', to: 'from: 85' }

describe('a mapping, one command after another', () => {
  it('is published with who did it and what for', async () => {
    const first = await ripenJson<Applied>(['apply', '--note', 'the first one'], environment)
    expect(first).toMatchObject({ version: 1, published: true, folder })
    const { versions } = await ripenJson<Versions>(['versions'], environment)
    expect(versions).toMatchObject([{ version: 1, note: 'the first one', rolledBackTo: null }])
    expect(versions[0]?.by).toMatch(/\w/)
  })

  it('is not published again while it says the same', async () => {
    expect(await ripenJson(['apply'], environment)).toMatchObject({ version: 1, published: false })
  })

  it('that is wrong is not published, and every problem is told', async () => {
    const wrong = await mappingFiles(
      { file: 'usage.yaml', from: 'version: 1', to: 'version: 7' },
      { file: 'hubspot.yaml', from: 'subject: person', to: 'subject: persona' },
    )
    const other = await writeMappings(await makeFolder('wrong'), wrong)
    const { code, stderr } = await ripen(['apply', '--mappings', other], environment)
    expect(code).toBe(2)
    expect(stderr).toMatch(/usage\.yaml:\d+:\d+/)
    expect(stderr).toMatch(/hubspot\.yaml:\d+:\d+/)
    expect((await ripenJson<Versions>(['versions'], environment)).versions).toHaveLength(1)
  })

  it('that changed is published, and the change is told', async () => {
    await writeMappings(folder, await mappingFiles(grade))
    const applied = await ripenJson<Applied>(['apply', '--note', 'A from 85'], environment)
    expect(applied).toMatchObject({
      version: 2,
      changes: [{ file: grade.file, change: 'changed', added: 1, removed: 1 }],
      effects: { rollups: false, identity: false },
    })
    const { stdout } = await ripen(['versions', '1', '2'], environment)
    expect(stdout).toMatch(/^-.*from: 80/m)
    expect(stdout).toMatch(/^\+.*from: 85/m)
    // Nobody looks at a terminal: nothing is painted.
    expect(stdout).not.toContain('\u001b[')
  })

  it('is undone, and stays undone whatever command runs after', async () => {
    const back = await ripenJson<Applied>(['rollback', '--note', 'too few'], environment)
    expect(back).toMatchObject({ version: 3, rolledBackTo: 1, published: true })
    const ran = await ripen(['events', '--json', '--mappings', folder], environment)
    expect(ran.stderr).toMatch(/undone by ripen rollback.*ripen apply/)
    const { versions } = await ripenJson<Versions>(['versions'], environment)
    expect(versions.map(({ version }) => version)).toEqual([3, 2, 1])
    const same = await ripen(['versions', '1', '3'], environment)
    expect(same.stdout).toMatch(/same files/)
  })

  it('is published again by name, or when it was mended', async () => {
    const again = await ripenJson<Applied>(['apply'], environment)
    expect(again).toMatchObject({ version: 4, published: true })
    await ripenJson(['rollback', '1'], environment)
    await writeMappings(folder, await mappingFiles({ ...grade, to: 'from: 82' }))
    await ripenJson(['events'], environment)
    const { versions } = await ripenJson<Versions>(['versions'], environment)
    expect(versions[0]).toMatchObject({ version: 6, rolledBackTo: null })
  })

  it.each([
    { args: ['rollback', '99'], says: /no version 99/ },
    { args: ['versions', 'x'], says: /x is no version/ },
  ])('$args ends with 2', async ({ args, says }) => {
    const { code, stderr } = await ripen(args, environment)
    expect({ code, stderr }).toEqual({ code: 2, stderr: expect.stringMatching(says) })
  })
})

describe('check without a CRM', () => {
  // No database can be reached: nothing of it is needed.
  const alone = { DATABASE_URL: 'postgres://nobody@127.0.0.1:9/none', RIPEN_DATA_DIR: '/nowhere' }

  it('says that the files are right', async () => {
    const { code, stdout } = await ripen(['check', '--mappings', folder], alone)
    expect({ code, stdout }).toEqual({ code: 0, stdout: expect.stringMatching(/✔.*no problem/) })
  })

  it('tells every problem of every file at once, with its place, and ends with 2', async () => {
    const files = await mappingFiles(
      { file: 'usage.yaml', from: 'family: usage', to: 'family: use' },
      { file: 'models/people.yaml', from: 'window: 30d', to: 'window: 30' },
    )
    const wrong = await writeMappings(await makeFolder('wrong'), files)
    await writeFile(join(wrong, 'nobody.yaml'), 'a: 1\n')
    const { code, stdout } = await ripen(['check', '--mappings', wrong, '--json'], alone)
    expect(code).toBe(2)
    const { ok, problems } = JSON.parse(stdout)
    expect(ok).toBe(false)
    expect(problems).toEqual(
      expect.arrayContaining([
        expect.objectContaining({ file: 'usage.yaml', line: expect.any(Number), column: 5 }),
        expect.objectContaining({ file: 'models/people.yaml', path: 'window', column: 1 }),
        expect.objectContaining({ file: 'nobody.yaml', line: 0 }),
      ]),
    )
    expect(problems).toHaveLength(3)
    const told = await ripen(['check', '--mappings', wrong], alone)
    expect(told.stdout).toMatch(/3 problems in 3 of \d+ files/)
    expect(told.stdout).toMatch(/models\/people\.yaml:\d+:1 +window: write whole days, such as 30d/)
  })
})

describe('schema', () => {
  it('lists the kinds, prints one, and writes all of them for an editor', async () => {
    expect((await ripen(['schema'])).stdout).toMatch(/^model +models\/\*\.yaml, presets\/\*\.yaml/m)
    const one = JSON.parse((await ripen(['schema', 'usage'])).stdout)
    expect(one).toMatchObject({ $id: 'urn:ripen:schema:usage' })
    const out = join(await makeFolder('schemas'), 'deep')
    const { written } = await ripenJson<{ written: { path: string }[] }>(['schema', '--out', out])
    expect(written.map(({ path }) => path)).toContain(join(out, 'hubspot.schema.json'))
    const { code, stderr } = await ripen(['schema', 'playing'])
    expect({ code, stderr }).toEqual({ code: 2, stderr: expect.stringMatching(/usage, identity/) })
  })
})
