import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals'
import { mappingFiles } from '../support/mapping-files.ts'
import { viewPortal } from '../support/portal.ts'
import { DOMAINS, WHO } from '../support/small-usage.ts'
import { removeFolders, type TestState } from '../support/state.ts'
import { closeThreads, NOW, openThread, pulledState, type Thread } from '../support/thread.ts'

let origin: TestState
beforeAll(async () => {
  origin = await pulledState()
})
afterEach(closeThreads)
afterAll(async () => {
  await origin.close()
  await removeFolders()
})

const HOUR_MS = 3_600_000
const later = (hours: number) => new Date(NOW.getTime() + hours * HOUR_MS)
const OWNER = { ada: '41000001', ben: '41000002', cora: '41000003' } as const

interface PlaybookText {
  readonly trigger: string
  readonly subject?: 'account' | 'person'
  readonly more?: string
  readonly task?: string
  readonly body?: string
}

const playbook = ({ trigger, subject = 'person', more = '', task = '', body }: PlaybookText) => `
id: tried
label: Tried
crm: hubspot
subject: ${subject}
trigger: ${trigger}
${more}
segments:
  - name: everybody
    motion: sales
    actions:
      - task:
          subject: "Tried {{ ${subject}.${subject === 'person' ? 'email' : 'domain'} }}"
          body: "${body ?? '{{ happened }}'}"
          due-in: 4h
          ${task}
`

let clock = NOW
function setNow(thread: Thread, at: Date): void {
  clock = at
  thread.setNow(at)
}

/** A portal with one playbook, and with the one that ships when `shipped` is said. */
async function openWith(text: string, shipped: 'shipped' | 'alone' = 'alone'): Promise<Thread> {
  clock = NOW
  const { 'hubspot.yaml': hubspot = '', ...others } = await mappingFiles()
  const own = shipped === 'shipped' ? hubspot : hubspot.replace(/^tasks:[\s\S]*$/m, '')
  const mappings = { ...others, 'hubspot.yaml': own, 'playbooks/tried.yaml': text }
  const thread = await openThread({ origin, mappings, hubspot: { now: () => clock.getTime() } })
  await thread.score()
  return thread
}

const tasksOf = (thread: Thread) => viewPortal(thread.vendors.hubspot).tasks
const subjects = (thread: Thread) =>
  tasksOf(thread)
    .map(({ subject }) => subject)
    .sort()
const statesOf = async (thread: Thread) => (await thread.status()).crms['hubspot']?.tasks

describe('a playbook', () => {
  it('starts by fresh behaviour alone: the first day is no flood', async () => {
    const thread = await openWith(playbook({ trigger: '{ score-crossed: 50 }' }))
    await thread.sync()
    // The loner and the veteran were ready days ago.
    expect(subjects(thread)).toEqual([`Tried ${WHO.champion}`])
  })

  it('of a level notes for whom it holds at its first look, and starts when it begins to hold', async () => {
    const text = playbook({ trigger: '{ people-active: 3 }', subject: 'account' })
    const thread = await openWith(text)
    await thread.sync()
    expect(tasksOf(thread)).toEqual([])
    const { db } = thread.app.context
    const standing = await db.selectFrom('playbook_standing').select('playbook').execute()
    expect(standing).toHaveLength(2)
    await db.deleteFrom('playbook_standing').execute()
    await thread.score()
    await thread.sync()
    expect(subjects(thread)).toEqual([`Tried ${DOMAINS.fresh}`])
    expect(tasksOf(thread)[0]?.body).toContain('3 people are active')
  })

  it('of a first action starts for whoever did it within the day', async () => {
    const text = playbook({ trigger: '{ action-first: colleague_invited }' })
    const thread = await openWith(text)
    await thread.sync()
    expect(subjects(thread)).toEqual([`Tried ${WHO.champion}`])
    expect(tasksOf(thread)[0]?.body).toContain('Invited colleagues (2 times')
  })

  it('leaves alone whoever opted out, and who is suppressed', async () => {
    const optedOut = 'guards: { opted-out: [{ trait: email_kind, equals: business }] }'
    const first = await openWith(playbook({ trigger: '{ score-crossed: 50 }', more: optedOut }))
    await first.sync()
    expect(tasksOf(first)).toEqual([])
    const suppressed = `guards: { suppress: { domains: [${DOMAINS.fresh}] } }`
    const second = await openWith(playbook({ trigger: '{ score-crossed: 50 }', more: suppressed }))
    await second.sync()
    expect(tasksOf(second)).toEqual([])
  })

  it('names nobody in the task of an account who opted out', async () => {
    const more = `guards: { suppress: { emails: [${WHO.champion}] } }`
    const trigger = '{ status-entered: qualified }'
    const body = '{{ champion.email }}'
    const thread = await openWith(playbook({ trigger, subject: 'account', more, body }))
    await thread.sync()
    const [task] = tasksOf(thread)
    expect(task?.body).not.toContain(WHO.champion)
    expect(task?.on).not.toContain(WHO.champion)
    expect(task?.on).toContain(DOMAINS.fresh)
  })

  it('is not started again during its cool-down', async () => {
    const thread = await openWith(playbook({ trigger: '{ action-first: colleague_invited }' }))
    await thread.sync()
    const { db } = thread.app.context
    // The same deed of another hour would be another episode.
    await db.updateTable('playbook_start').set({ key: 'an earlier one' }).execute()
    await db.deleteFrom('task_intent').execute()
    await thread.score()
    await thread.sync()
    expect(subjects(thread)).toEqual([`Tried ${WHO.champion}`])
  })
})

describe('the task of a playbook', () => {
  it('is one for an account and owner: what is new goes into the open one', async () => {
    const text = playbook({ trigger: '{ score-crossed: 50 }', task: 'assign: [account-owner]' })
    const thread = await openWith(text, 'shipped')
    await thread.sync()
    expect(tasksOf(thread)).toHaveLength(1)
    expect(tasksOf(thread)[0]?.subject).toContain('is ready for a conversation')
    expect(await statesOf(thread)).toMatchObject({ created: 1, merged: 1 })
  })

  it('goes round the team by weight, and not to who is away', async () => {
    const team = `assign: [{ round-robin: [
            { owner: ada.ferreira@sales.example },
            { owner: ben.okafor@sales.example, absent: [{ from: 2026-09-10, to: 2026-09-12 }] },
            { owner: chloe.lindqvist@sales.example }] }]
          one-open: false`
    const more = 'guards: { evidence-within: 10d }'
    const text = playbook({ trigger: '{ score-crossed: 50 }', task: team, more })
    const thread = await openWith(text)
    await thread.sync()
    const owners = tasksOf(thread).map(({ ownerId }) => ownerId)
    expect(owners.length).toBeGreaterThan(1)
    expect(owners).not.toContain(OWNER.ben)
    const times = (id: string) => owners.filter((one) => one === id).length
    expect(Math.abs(times(OWNER.ada) - times(OWNER.cora))).toBeLessThanOrEqual(1)
  })

  it('waits for the next day when its owner has had enough', async () => {
    const cap = `fallback-owner: ben.okafor@sales.example
          daily-cap: 1
          one-open: false`
    const more = 'guards: { evidence-within: 10d }'
    const thread = await openWith(playbook({ trigger: '{ score-crossed: 50 }', task: cap, more }))
    await thread.sync()
    expect(tasksOf(thread)).toHaveLength(1)
    expect(await statesOf(thread)).toMatchObject({ created: 1, planned: expect.any(Number) })
    setNow(thread, later(24))
    await thread.sync()
    expect(tasksOf(thread)).toHaveLength(2)
  })

  it('is due in the working hours of its owner', async () => {
    const hours = `fallback-owner: ben.okafor@sales.example
          working-hours: { from: "09:00", to: "17:00", zone: UTC, zones: { ben.okafor@sales.example: Asia/Tokyo } }`
    const thread = await openWith(playbook({ trigger: '{ score-crossed: 50 }', task: hours }))
    await thread.sync()
    const [task] = thread.vendors.hubspot.records('tasks')
    // It is 17:00 in Tokyo: four hours are over at 13:00 of the next day.
    expect(task?.properties['hs_timestamp']).toBe('2026-09-11T04:00:00.000Z')
  })
})
