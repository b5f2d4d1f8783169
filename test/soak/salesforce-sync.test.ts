import { afterAll, expect, it } from '@jest/globals'
import { faultsOf, runSync, timesLeast } from '../../bench/salesforce/run-sync.ts'
import { createHome, removeFolders, type TestState } from '../support/state.ts'

const SIZE = { people: 3_000, accounts: 150, bulkFrom: 200 }

let home: TestState
afterAll(async () => {
  await home.close()
  await removeFolders()
})

it('a part of a large org is synced as the bench syncs all of it', async () => {
  home = await createHome()
  const result = await runSync({
    ...SIZE,
    dataDir: home.dataDir,
    databaseUrl: home.databaseUrl ?? undefined,
    signal: AbortSignal.timeout(280_000),
  })
  expect(faultsOf(result, SIZE)).toEqual([])
  const { first, changed } = result
  expect(first.converted).toBeGreaterThan(0)
  expect(changed.converted).toBeGreaterThan(first.converted)
  expect(first.calls.tokens).toBeGreaterThan(0)
  expect(changed.calls.tokens).toBeGreaterThan(0)
  expect(first.calls.unauthorised).toBeGreaterThan(0)
  // A few people are some calls for each kind of record; the bench holds a large org to 1.05.
  expect(timesLeast(result)).toBeLessThanOrEqual(1.5)
}, 300_000)
