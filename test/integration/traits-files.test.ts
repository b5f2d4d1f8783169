import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { gzipSync } from 'node:zlib'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from '@jest/globals'
import { loadTraits } from '../../src/app/load-traits.ts'
import { ConfigError } from '../../src/core/errors.ts'
import { publishMapping } from '../../src/infra/mappings/published.ts'
import { addHashes } from '../../src/infra/postgres/forget-store.ts'
import { readTraits } from '../../src/infra/postgres/trait-store.ts'
import { openTempLake, type TempLake } from '../support/lake-temp.ts'
import { removeFolders } from '../support/state.ts'
import { TRAIT_FILES } from '../support/traits-files.ts'
import { closeTraitsWorlds, openTraitsWorld, type TraitsWorld } from '../support/traits-world.ts'

const NOW = new Date('2026-09-10T08:00:00Z')
const later = (hours: number) => new Date(NOW.getTime() + hours * 3_600_000)
let lake: TempLake
let world: TraitsWorld
beforeAll(async () => {
  lake = await openTempLake()
})
beforeEach(async () => {
  world = await openTraitsWorld(NOW)
  await publishMapping(world.database.db, 'test', TRAIT_FILES)
  await world.account('acc_a', 'acme.com')
  await world.person('per_ann', {
    account: 'acc_a',
    nodes: ['email/ann@acme.com', 'amplitude/u:7'],
  })
  await world.person('per_bo', { nodes: ['email/bo@acme.com'] })
})
afterEach(closeTraitsWorlds)
afterAll(async () => {
  await lake.close()
  await removeFolders()
})

let files = 0
async function load(as: string, lines: readonly string[], zipped = false) {
  const path = join(lake.dir, `people-${files++}.csv${zipped ? '.gz' : ''}`)
  const text = `${lines.join('\n')}\n`
  await writeFile(path, zipped ? gzipSync(text) : text)
  const { db } = world.database
  return loadTraits({ db, duck: lake.duck, clock: () => world.now }, path, as)
}

const traitsOf = async (id: string, asOf = later(100), knownAt?: Date) => {
  const at = { asOf, ...(knownAt ? { knownAt } : {}) }
  const { email_kind: _, ...traits } = {
    ...(await readTraits(world.database.db, [id], at)).get(id),
  }
  return traits
}
const HEADER = 'email,Seniority,Team,Phone'

describe('a file of traits', () => {
  it('says what stands in its declared columns, of people who are known and who are not yet', async () => {
    const lines = [HEADER, 'ANN@acme.com,Lead,Data,1', 'bo@acme.com,,Ops,2', 'new@x.com,Lead,,3']
    expect(await load('people', lines)).toEqual({
      ...{ lines: 3, leftOut: 0, begun: 4, ended: 0, known: 2, unknown: 1 },
    })
    expect(await traitsOf('per_ann')).toEqual({ seniority: ['Lead'], team: ['Data'] })
    expect(await traitsOf('per_bo')).toEqual({ team: ['Ops'] })
    expect(await world.touched()).toEqual([...['score acc_a', 'score per_ann', 'score per_bo']])
    await world.person('per_new', { nodes: ['email/new@x.com'] })
    expect(await traitsOf('per_new')).toEqual({ seniority: ['Lead'] })
    expect(await traitsOf('per_ann', later(-1))).toEqual({})
  })

  it('replaces what an earlier one said, and changes nothing when it says the same', async () => {
    const lines = [HEADER, 'ann@acme.com,Lead,Data,1', 'bo@acme.com,Junior,Ops,2']
    await load('people', lines)
    await world.touched()
    world.now = later(1)
    expect(await load('people', lines, true)).toMatchObject({ begun: 0, ended: 0 })
    expect(await world.touched()).toEqual([])
    world.now = later(2)
    const second = [HEADER, 'ann@acme.com,Head,Data,1']
    expect(await load('people', second)).toMatchObject({ begun: 1, ended: 3 })
    expect(await traitsOf('per_ann')).toEqual({ seniority: ['Head'], team: ['Data'] })
    expect(await traitsOf('per_bo')).toEqual({})
    // What was said in between stays said for that time.
    expect(await traitsOf('per_bo', later(1))).toEqual({ seniority: ['Junior'], team: ['Ops'] })
    expect(await traitsOf('per_ann', later(1))).toMatchObject({ seniority: ['Lead'] })
    expect(await traitsOf('per_ann', later(100), later(1))).toMatchObject({ seniority: ['Lead'] })
  })

  it('with dates tells the past, by the clock of its zone', async () => {
    const lines = [
      'member;tier;since',
      '7;gold;01.03.2026',
      '7;silver;01.01.2026',
      '8;gold;02.01.2026',
    ]
    expect(await load('history', lines)).toMatchObject({ begun: 3, known: 1, unknown: 1 })
    expect(await traitsOf('per_ann')).toEqual({ tier: ['gold'] })
    expect(await traitsOf('per_ann', new Date('2026-02-01'))).toEqual({ tier: ['silver'] })
    // The first of March begins in Berlin an hour before it does in UTC.
    expect(await traitsOf('per_ann', new Date('2026-02-28T22:59:59Z'))).toEqual({
      tier: ['silver'],
    })
    expect(await traitsOf('per_ann', new Date('2026-02-28T23:00:00Z'))).toEqual({ tier: ['gold'] })
    expect(await traitsOf('per_ann', new Date('2025-12-01'))).toEqual({})
    // Nobody knew it before the file came.
    expect(await traitsOf('per_ann', new Date('2026-04-01'), new Date('2026-04-01'))).toEqual({})
  })

  it('about companies is read by their people too', async () => {
    const lines = ['domain,Segment', 'labs.ACME.com,Enterprise']
    expect(await load('companies', lines)).toMatchObject({ begun: 1, known: 1 })
    expect(await traitsOf('acc_a')).toEqual({ segment: ['Enterprise'] })
    expect(await traitsOf('per_ann')).toEqual({ segment: ['Enterprise'] })
    expect(await traitsOf('per_bo')).toEqual({})
    expect(await world.touched()).toEqual(['score acc_a', 'score per_ann'])
  })

  it('says nothing of people who asked to be forgotten', async () => {
    const { db } = world.database
    const { id } = await db
      .insertInto('forget_receipt')
      .defaultValues()
      .returning('id')
      .executeTakeFirstOrThrow()
    await addHashes(db, id, ['email/gone@x.com'])
    const lines = [HEADER, 'gone@x.com,Lead,Data,1', 'ann@acme.com,Lead,Data,1']
    expect(await load('people', lines)).toMatchObject({ lines: 2, leftOut: 1, unknown: 0 })
    const rows = await db.selectFrom('trait').select('about').distinct().execute()
    expect(rows).toEqual([{ about: 'email/ann@acme.com' }])
  })
})

describe('a file of traits that is wrong', () => {
  it.each([
    {
      name: 'lines that are about nobody',
      as: 'people',
      lines: [HEADER, 'ann@acme.com,Lead,Data,1', 'ann at acme,Lead,Data,1', ',Lead,Data,1'],
      says: [
        'line 3 holds no e-mail address in email; mend the line or correct id.is',
        'line 4 has nothing in email, which says whom it is about; mend the line',
      ],
    },
    {
      name: 'a date of another format',
      as: 'history',
      lines: ['member;tier;since', '7;gold;2026-03-01'],
      says: ['line 2 holds in since no date of the format %d.%m.%Y between 2000 and 2100'],
    },
    {
      name: 'two lines that differ about one person',
      as: 'people',
      lines: [HEADER, 'ann@acme.com,Lead,Data,1', 'Ann@Acme.com,Head,Data,1'],
      says: ['line 3 says something else of seniority than line 2, about the same'],
    },
    {
      name: 'a value that spans lines before the wrong one',
      as: 'people',
      lines: [HEADER, '"ann@acme.com","Lead\nof all",Data,1', 'nobody,Lead,Data,1'],
      says: ['line 4 holds no e-mail address in email'],
    },
    {
      name: 'a column that is not there',
      as: 'people',
      lines: ['email,Seniority', 'ann@acme.com,Lead'],
      says: ['line 1: there is no column Team; the file has email, Seniority'],
    },
    {
      name: 'no header, without telling whom the first line is about',
      as: 'people',
      lines: ['ann at acme,ann@acme.com,Lead,Lead', 'bo,bo@acme.com,Ops,Data'],
      says: ['line 1 holds an e-mail address and so is no header; name the columns there'],
    },
    {
      name: 'a line with too many columns',
      as: 'people',
      lines: [HEADER, 'ann@acme.com,Lead,Data,1,2'],
      says: ['line 2 has 5 columns where the header has 4'],
    },
    {
      name: 'a name that nobody declared',
      as: 'staff',
      lines: [HEADER],
      says: [
        '--as staff is not declared under files in traits.yaml; known are companies, history, people',
      ],
    },
  ])('is refused for $name, and nothing is changed', async ({ as, lines, says }) => {
    await load('people', [HEADER, 'bo@acme.com,Junior,Ops,2'])
    await world.touched()
    const failure = await load(as, lines).catch((error: unknown) => error)
    expect(failure).toBeInstanceOf(ConfigError)
    for (const text of says) expect((failure as Error).message).toContain(text)
    expect((failure as Error).message).not.toContain('ann at acme')
    expect(await traitsOf('per_ann')).toEqual({})
    expect(await traitsOf('per_bo')).toEqual({ seniority: ['Junior'], team: ['Ops'] })
    expect(await world.touched()).toEqual([])
  })
})
