import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import fc from 'fast-check'
import { removeFolders } from '../support/state.ts'
import { closeTraitsWorlds, openTraitsWorld, type TraitsWorld } from '../support/traits-world.ts'

const NOW = new Date('2026-09-10T08:00:00Z')
const PEOPLE = 5
const RUNS = 12

/** Hears webhooks. */
let hearing: TraitsWorld
/** Only ever reads everything, on the same account. */
let reading: TraitsWorld
let bodies: string[] = []
const server = createServer((request, response) => {
  const chunks: Buffer[] = []
  request.on('data', (chunk: Buffer) => chunks.push(chunk))
  request.on('end', () => {
    bodies.push(Buffer.concat(chunks).toString('utf8'))
    response.end()
  })
})

beforeAll(async () => {
  hearing = await openTraitsWorld(NOW)
  reading = await openTraitsWorld(NOW, hearing)
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
})
afterAll(async () => {
  await new Promise((resolve) => server.close(resolve))
  await closeTraitsWorlds()
  await removeFolders()
})

type Change = readonly [
  what: 'edit' | 'archive' | 'restore' | 'merge' | 'erase',
  who: number,
  arg: number,
]

const TITLES = ['Analyst', 'CTO', 'Founder', '']
const LEAD_STATUSES = ['NEW', 'CONNECTED', 'UNQUALIFIED']

/**
 * What happens in the CRM; what cannot happen to a record does not.
 * @returns who was deleted for good.
 */
function happen(ids: string[], changes: readonly Change[]): ReadonlySet<number> {
  const { sandbox } = hearing
  const erased = new Set<number>()
  const isLive = (id: string) =>
    sandbox.records('contacts').some((record) => record.id === id && !record.archived)
  for (const [what, who, arg] of changes) {
    const [id = '', other = ''] = [ids[who], ids[arg % PEOPLE]]
    if (what === 'restore') sandbox.restore('contacts', id)
    else if (!isLive(id)) continue
    else if (what === 'archive') sandbox.archive('contacts', id)
    else if (what === 'erase') {
      sandbox.erase(id)
      // All that was merged into it goes with it.
      for (const [index, one] of ids.entries()) if (one === id) erased.add(index)
    } else if (what === 'edit') {
      const hs_lead_status = LEAD_STATUSES[arg % LEAD_STATUSES.length] ?? ''
      sandbox.edit('contacts', id, { jobtitle: TITLES[arg % TITLES.length] ?? '', hs_lead_status })
    } else if (id !== other && isLive(other)) {
      const left = sandbox.merge('contacts', id, other)
      for (const [index, one] of ids.entries()) {
        if (one === id || one === other) ids[index] = left
      }
    }
  }
  return erased
}

/** All that is known of some people from the CRM. */
async function knownOf({ database: { db } }: TraitsWorld, people: readonly string[]) {
  const records = await db
    .selectFrom('crm_record')
    .select(['ref', 'crm_id', 'state'])
    .where('ref', 'in', [...people])
    .orderBy('ref')
    .execute()
  const traits = await db
    .selectFrom('trait')
    .select(['about', 'name', 'value'])
    .where('about', 'in', [...people])
    .where('ended_at', 'is', null)
    .orderBy('about')
    .orderBy('name')
    .execute()
  const sales = await db
    .selectFrom('sales_state')
    .select(['about', 'status'])
    .where('about', 'in', [...people])
    .orderBy('about')
    .execute()
  return { records, traits, sales }
}

const change: fc.Arbitrary<Change> = fc.tuple(
  fc.constantFrom('edit', 'edit', 'archive', 'restore', 'merge', 'erase'),
  fc.nat(PEOPLE - 1),
  fc.nat(20),
)

describe('webhooks in any order, repeated and lost', () => {
  it('end where reading everything ends', async () => {
    let run = 0
    const delivery = fc.record({
      changes: fc.array(change, { minLength: 1, maxLength: 10 }),
      shuffle: fc.nat(1_000),
      repeat: fc.nat(2),
      loses: fc.option(fc.array(fc.boolean(), { minLength: 1, maxLength: 6 }), { nil: null }),
      together: fc.integer({ min: 1, max: 4 }),
    })
    await fc.assert(
      fc.asyncProperty(delivery, async ({ changes, shuffle, repeat, loses, together }) => {
        const people = Array.from({ length: PEOPLE }, (_, n) => `per_${run}_${n}`)
        run++
        const contacts = people.map((id) => ({ email: `${id}@acme.com`, pql_person_id: id }))
        const { sandbox } = hearing
        const ids = [...sandbox.seed({ contacts }).contacts]
        for (const world of [hearing, reading]) {
          await world.linkNewcomers(people, ids)
          await world.read()
        }
        const { port } = server.address() as AddressInfo
        const targetUrl = `http://127.0.0.1:${port}/`
        sandbox.webhooks.configure({ targetUrl, clientSecret: 'a secret' })
        bodies = []
        const erased = happen(ids, changes)
        const lose = (index: number) => loses?.[index % loses.length] ?? false
        await sandbox.webhooks.flush({ shuffle, repeat, lose })
        for (let at = 0; at < bodies.length; at += together) {
          await hearing.hear(bodies.slice(at, at + together))
        }
        const later = new Date(reading.now.getTime() + 3_600_000)
        reading.now = later
        await reading.read()
        if (loses?.includes(true)) {
          hearing.now = later
          await hearing.read()
        }
        // Who is to be forgotten has no record any more, if that was heard.
        const left = ['nobody', ...people.filter((_, index) => !erased.has(index))]
        expect(await knownOf(hearing, left)).toEqual(await knownOf(reading, left))
      }),
      { numRuns: RUNS },
    )
  }, 180_000)
})
