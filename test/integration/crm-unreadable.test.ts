import { afterAll, afterEach, expect, it } from '@jest/globals'
import { listen } from '../../jobs/steps/listen.ts'
import { mappingFiles } from '../support/mapping-files.ts'
import { viewPortal } from '../support/portal.ts'
import { DOMAINS, WHO } from '../support/small-usage.ts'
import { removeFolders } from '../support/state.ts'
import { closeThreads, openThread } from '../support/thread.ts'

afterEach(closeThreads)
afterAll(removeFolders)

it('an object with a property that is not there is told of, and the others are heard all the same', async () => {
  const thread = await openThread()
  await thread.run()
  const { context } = thread.app
  const { hubspot } = thread.vendors
  const run = { note: () => {}, count: () => {} }
  const hear = () => listen(context, 'hubspot', null, new AbortController().signal, run)
  await hear()
  await hear()
  const files = await mappingFiles({
    file: 'hubspot.yaml',
    from: 'industry: industry',
    to: 'industry: no_such',
  })
  await thread.publish(files)
  await context.db.updateTable('crm_read').set({ stale: 1 }).execute()
  const portal = viewPortal(hubspot)
  hubspot.people.edit('contacts', portal.contact(WHO.champion)?.id ?? '', { jobtitle: 'CTO' })
  hubspot.people.edit('companies', portal.company(DOMAINS.fresh)?.id ?? '', { industry: 'X' })
  thread.setNow(new Date(context.clock().getTime() + 120_000))
  await expect(hear()).rejects.toThrow('no_such')
  const polled = await context.db.selectFrom('crm_cursor').select(['object', 'polled_at']).execute()
  expect(polled).toHaveLength(2)
  for (const { polled_at } of polled) expect(polled_at).toEqual(context.clock())
  const traits = await context.db.selectFrom('trait').select('value').execute()
  expect(traits).toContainEqual({ value: 'CTO' })
})
