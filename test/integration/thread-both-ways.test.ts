import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals'
import { explain } from '../../src/app/explanation.ts'
import { mappingFiles } from '../support/mapping-files.ts'
import { viewPortal } from '../support/portal.ts'
import { type BothThread, closeSalesforce, openBoth } from '../support/salesforce-thread.ts'
import { DOMAINS } from '../support/small-usage.ts'
import { removeFolders, type TestState } from '../support/state.ts'
import { closeThreads, NOW, pulledState } from '../support/thread.ts'

let origin: TestState
beforeAll(async () => {
  origin = await pulledState()
})
afterEach(async () => {
  await closeThreads()
  await closeSalesforce()
})
afterAll(async () => {
  await origin.close()
  await removeFolders()
})

const later = (hours: number) => new Date(NOW.getTime() + hours * 3_600_000)

const PLAYBOOK = (crm: string) => `id: tried
label: Tried
crm: ${crm}
subject: account
trigger: { status-entered: qualified }
segments:
  - { name: all, motion: nurture, actions: [{ set: { tier: gold } }] }
`

/** One CRM of the thread, as its people see and change the record of the fresh account. */
interface Side {
  readonly crm: 'hubspot' | 'salesforce'
  /** Names of the property that both sides may change, of the score, and of what reps answer. */
  readonly names: Readonly<Record<'tier' | 'score' | 'sales' | 'answer' | 'reason', string>>
  value(name: string): string | null
  edit(values: Readonly<Record<string, string>>): void
}

type Crm = Side['crm']

async function open(crm: Crm): Promise<{ thread: BothThread; side: Side }> {
  const files = await mappingFiles()
  const property = crm === 'hubspot' ? 'pqa_tier' : 'PQA_Tier__c'
  const score = crm === 'hubspot' ? 'pqa_score' : 'PQA_Score__c'
  const line = `${property}: { from: trait.tier, type: string, label: Tier, policy: two-way }`
  const file = `${crm}.yaml`
  const text = (files[file] ?? '').replace(`      ${score}:\n`, `      ${line}\n      ${score}:\n`)
  if (!text.includes(line)) throw new Error(`${file} has no ${score}`)
  const mappings = { ...files, [file]: text, 'playbooks/tried.yaml': PLAYBOOK(crm) }
  const thread = await openBoth({ origin, mappings })
  const side = crm === 'hubspot' ? inHubspot(thread) : inSalesforce(thread)
  await thread.score()
  // What the playbook sets comes with the next look.
  await thread.app.engine.idle(['score', 'desire'])
  await thread.syncTo(crm)
  return { thread, side }
}

function inHubspot({ vendors: { hubspot } }: BothThread): Side {
  const company = () => viewPortal(hubspot).company(DOMAINS.fresh)
  return {
    crm: 'hubspot',
    names: {
      ...{ tier: 'pqa_tier', score: 'pqa_score', sales: 'pqa_sales_status' },
      ...{ answer: 'pqa_disposition', reason: 'pqa_rejection_reason' },
    },
    value: (name) => company()?.properties[name] ?? null,
    edit: (values) => hubspot.people.edit('companies', company()?.id ?? '', values),
  }
}

function inSalesforce({ salesforce: { sandbox } }: BothThread): Side {
  sandbox.defineField('Account', { name: 'PQA_Tier__c', type: 'string', length: 40 })
  const id = sandbox.people.create('Account', { Name: 'Northfield', Website: DOMAINS.fresh })
  return {
    crm: 'salesforce',
    names: {
      ...{ tier: 'PQA_Tier__c', score: 'PQA_Score__c', sales: 'PQA_Sales_Status__c' },
      ...{ answer: 'PQA_Disposition__c', reason: 'PQA_Rejection_Reason__c' },
    },
    value: (name) => {
      const value = sandbox.record(id)?.values[name] ?? null
      return value === null ? null : String(value)
    },
    edit: (values) => sandbox.people.edit('Account', id, values),
  }
}

async function syncAt(thread: BothThread, crm: Crm, hours: number) {
  thread.setNow(later(hours))
  const result = await thread.syncTo(crm)
  // What was read has scores made, and those another sync.
  await thread.app.engine.idle(['score', 'desire'])
  await thread.syncTo(crm)
  return result
}

const edits = ({ app }: BothThread, crm: Crm) =>
  app.context.db
    .selectFrom('crm_edit')
    .select(['property', 'outcome'])
    .where('crm', '=', crm)
    .execute()

describe.each(['hubspot', 'salesforce'] as const)('in %s', (crm) => {
  it('a property that both sides may change is written, and then what a person says stands', async () => {
    const { thread, side } = await open(crm)
    const { tier } = side.names
    expect(side.value(tier)).toBe('gold')
    side.edit({ [tier]: 'silver' })
    await syncAt(thread, crm, 2)
    await syncAt(thread, crm, 4)
    expect(side.value(tier)).toBe('silver')
    const found = await explain(thread.app.context.db, DOMAINS.fresh)
    expect(found?.traits).toContainEqual(
      expect.objectContaining({ name: 'tier', value: 'silver', endedAt: null }),
    )
    expect(await edits(thread, crm)).toEqual([{ property: tier, outcome: 'taken' }])
  })

  it('a score that a person wrote over is put back, and that is noted without the value', async () => {
    const { thread, side } = await open(crm)
    const { score } = side.names
    expect(Number(side.value(score))).toBe(60)
    side.edit({ [score]: '7' })
    await syncAt(thread, crm, 2)
    expect(Number(side.value(score))).toBe(60)
    expect(await edits(thread, crm)).toEqual([{ property: score, outcome: 'restored' }])
  })

  it('the answer of a rep and its reason count, and are never written over', async () => {
    const { thread, side } = await open(crm)
    const { answer, reason, sales } = side.names
    side.edit({ [answer]: 'rejected', [reason]: 'bad-timing' })
    await syncAt(thread, crm, 2)
    await syncAt(thread, crm, 4)
    expect([answer, reason, sales].map(side.value)).toEqual(['rejected', 'bad-timing', 'rejected'])
    const found = await explain(thread.app.context.db, DOMAINS.fresh)
    expect(found?.sales).toMatchObject({
      ...{ status: 'rejected', source: `${crm} disposition`, reason: 'bad-timing' },
    })
    side.edit({ [answer]: 'accepted' })
    await syncAt(thread, crm, 6)
    expect(side.value(sales)).toBe('accepted')
  })
})
