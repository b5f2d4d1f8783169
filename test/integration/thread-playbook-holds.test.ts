import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals'
import { viewPortal } from '../support/portal.ts'
import { DOMAINS, WHO } from '../support/small-usage.ts'
import { removeFolders, type TestState } from '../support/state.ts'
import { closeThreads, pulledState } from '../support/thread.ts'
import { below, openTried, subjectsOf, tasksOf, tried } from '../support/tried-playbook.ts'

let origin: TestState
beforeAll(async () => {
  origin = await pulledState()
})
afterEach(closeThreads)
afterAll(async () => {
  await origin.close()
  await removeFolders()
})

const OWN_DAYS = 'guards: { evidence-within: 10d }'

describe('a playbook leaves alone', () => {
  it('whom the model leaves out', async () => {
    const rule = 'exclude: [{ label: A rival, trait: industry, equals: RETAIL }]'
    const text = tried({ trigger: '{ people-active: 3 }', subject: 'account' })
    const edit = below('models/accounts.yaml', 'people-model: people', rule)
    const thread = await openTried(origin, [text], edit)
    const { hubspot } = thread.vendors
    hubspot.seed({ companies: [{ domain: DOMAINS.fresh, industry: 'RETAIL' }] })
    await thread.sync()
    await thread.score()
    await thread.app.context.db.deleteFrom('playbook_standing').execute()
    await thread.score()
    const scores = await thread.app.context.db
      .selectFrom('score')
      .select('facts')
      .where('model', '=', 'accounts')
      .execute()
    expect(JSON.stringify(scores)).toContain('"excludedBy":"A rival"')
    await thread.sync()
    expect(subjectsOf(thread)).not.toContain(`Tried ${DOMAINS.fresh}`)
  })

  it('a person of whom sales says nothing any more while it said no to her account', async () => {
    const text = tried({ trigger: '{ score-crossed: 50 }', more: OWN_DAYS })
    const thread = await openTried(origin, [text])
    const { hubspot } = thread.vendors
    await thread.sync()
    expect(subjectsOf(thread)).toContain(`Tried ${WHO.champion}`)
    const contact = viewPortal(hubspot).contact(WHO.champion)?.id ?? ''
    const company = viewPortal(hubspot).company(DOMAINS.fresh)?.id ?? ''
    hubspot.people.edit('contacts', contact, { hs_lead_status: 'UNQUALIFIED' })
    thread.at(2)
    await thread.sync()
    hubspot.people.edit('contacts', contact, { hs_lead_status: '' })
    hubspot.people.edit('companies', company, { hs_lead_status: 'UNQUALIFIED' })
    thread.at(4)
    await thread.sync()
    const { db } = thread.app.context
    await db.deleteFrom('playbook_start').execute()
    await db.deleteFrom('task_intent').execute()
    await thread.score()
    const planned = await db.selectFrom('task_intent').select('key').execute()
    const { id } = await db
      .selectFrom('person')
      .select('id')
      .where('email', '=', WHO.champion)
      .executeTakeFirstOrThrow()
    expect(planned.length).toBeGreaterThan(0)
    expect(planned.filter(({ key }) => key.includes(id))).toEqual([])
  })
})

describe('a text that does not render for one account', () => {
  const body = `{% if account.domain == '${DOMAINS.fresh}' %}{{ nobody }}{% endif %}{{ happened }}`
  const text = tried({
    ...{ trigger: '{ status-entered: qualified }', subject: 'account', more: OWN_DAYS, body },
  })

  it('keeps no other account and no other playbook from its task, and is told', async () => {
    const other = tried({ id: 'zz-other', trigger: '{ score-crossed: 50 }' })
    const thread = await openTried(origin, [text, other])
    await thread.sync()
    expect(subjectsOf(thread)).toEqual([`Tried ${WHO.champion}`, `Tried ${DOMAINS.old}`].sort())
    const parked = await thread.app.context.db
      .selectFrom('playbook_start')
      .select(['playbook', 'parked'])
      .where('parked', 'is not', null)
      .execute()
    expect(parked).toEqual([{ playbook: 'tried', parked: expect.stringContaining('nobody') }])
    await thread.score()
  })
})

describe('a playbook of a level', () => {
  const RETAIL = 'conditions: [{ trait: industry, equals: RETAIL }]'

  it('starts as soon as nothing holds it any more', async () => {
    const trigger = '{ people-active: 3 }'
    const thread = await openTried(origin, [tried({ trigger, subject: 'account', more: RETAIL })])
    const { db } = thread.app.context
    await thread.sync()
    await db.deleteFrom('playbook_standing').execute()
    await thread.score()
    await thread.sync()
    expect(tasksOf(thread)).toEqual([])
    const { hubspot } = thread.vendors
    const company = viewPortal(hubspot).company(DOMAINS.fresh)?.id ?? ''
    hubspot.people.edit('companies', company, { industry: 'RETAIL' })
    thread.at(2)
    await thread.sync()
    await thread.score()
    await thread.sync()
    expect(subjectsOf(thread)).toEqual([`Tried ${DOMAINS.fresh}`])
  })

  it('that asks for something else looks for the first time again', async () => {
    const of = (people: number) =>
      tried({ trigger: `{ people-active: ${people} }`, subject: 'account' })
    const thread = await openTried(origin, [of(4)])
    await thread.sync()
    await thread.tryOut([of(3)])
    await thread.score()
    await thread.sync()
    expect(tasksOf(thread)).toEqual([])
    const { db } = thread.app.context
    expect(await db.selectFrom('playbook_standing').select('since').execute()).toHaveLength(2)
  })
})

it('each trait that a segment sets stays beside the others', async () => {
  const text = tried({ trigger: '{ status-entered: qualified }', subject: 'account' }).replace(
    / {6}- task:[\s\S]*$/,
    '      - { set: { motion: sales } }\n      - { set: { wave: first } }\n',
  )
  const thread = await openTried(origin, [text])
  const { db } = thread.app.context
  const set = await db
    .selectFrom('trait')
    .select(['name', 'value'])
    .where('origin', '=', 'playbook/tried')
    .where('ended_at', 'is', null)
    .orderBy('name')
    .execute()
  expect(set).toEqual([
    { name: 'motion', value: 'sales' },
    { name: 'wave', value: 'first' },
  ])
})
