import { afterAll, beforeAll, expect, it } from '@jest/globals'
import { readEventNames } from '../../src/infra/lake/event-inventory.ts'
import { openTempLake, type TempLake } from '../support/lake-temp.ts'

let lake: TempLake
beforeAll(async () => {
  lake = await openTempLake()
})
afterAll(() => lake.close())

it('event names are told with rows, identities and people of their source', async () => {
  const member = { account: null, source: 'amplitude' }
  const members = [
    { ...member, profile: 'u:ann', person: 0 },
    { ...member, profile: 'd:x', person: 0 },
    { ...member, profile: 'u:bob', person: 1 },
    // The same id in another source is somebody else.
    { ...member, source: 'mixpanel', profile: 'u:bob', person: 2 },
  ]
  const names = await lake.duck.connect(async (c) => {
    const live = await lake.store(c, [
      { key: 1, user: 'ann', at: '2026-09-01T10:00:00Z' },
      { key: 2, device: 'x', at: '2026-09-01T09:00:00Z' },
      { key: 3, user: 'bob', at: '2026-09-01T11:00:00Z' },
      { key: 4, user: 'bob', at: '2026-09-01T12:00:00Z' },
      { key: 5, user: 'nobody yet', name: 'Opened' },
      { key: 6, name: 'Opened' },
    ])
    return readEventNames(c, lake.lakeDir, 'amplitude', live, members)
  })
  expect(names).toEqual([
    {
      name: 'Query Run',
      source: 'amplitude',
      rows: 4,
      profiles: 3,
      people: 2,
      firstSeen: '2026-09-01T09:00:00.000Z',
      lastSeen: '2026-09-01T12:00:00.000Z',
    },
    expect.objectContaining({ name: 'Opened', rows: 2, profiles: 1, people: 0 }),
  ])
})
