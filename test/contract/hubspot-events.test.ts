import { afterEach, describe, expect, it } from '@jest/globals'
import type { CrmEvent } from '../../src/core/ports/crm-actions.ts'
import { noSignal } from './crm-contract-subject.ts'
import { closeAccounts, connectHubspot, openAccount } from './hubspot-subject.ts'

afterEach(closeAccounts)

const NAME = 'pe4242424_became_ready'
const event = (crmId: string, more: Partial<CrmEvent> = {}): CrmEvent => ({
  ...{ id: '0b1c2d3e-4f50-8a6b-9c7d-8e9f00112233', name: NAME, object: 'contact', crmId },
  ...{ at: '2026-11-23T09:00:00.000Z', properties: { story: 'became qualified' } },
  ...more,
})

async function open() {
  const account = await openAccount()
  account.sandbox.events.define(NAME)
  const crmId = account.subject.seed('contact', { email: 'anna@acme.example' })
  const send = account.crm.sendEvents
  if (!send) throw new Error('HubSpot has events')
  return { ...account, crmId, send: (...events: CrmEvent[]) => send(events, noSignal()) }
}

describe('a custom event', () => {
  it('is on the timeline with its time and properties, once, however often it is sent', async () => {
    const { sandbox, crmId, send } = await open()
    expect(await send(event(crmId))).toEqual([{ kind: 'done' }])
    expect(await send(event(crmId))).toEqual([{ kind: 'done' }])
    expect(sandbox.events.list()).toMatchObject([
      { name: NAME, objectId: crmId, occurredAt: '2026-11-23T09:00:00.000Z' },
    ])
  })

  it('whose call breaks off is made again, and there once', async () => {
    const { subject, sandbox, crmId } = await open()
    sandbox.faults.push({ method: 'POST', path: /^\/events\//, kind: 'reset-after' })
    const crm = connectHubspot(subject.baseUrl, { attempts: 3 })
    expect(await crm.sendEvents?.([event(crmId)], noSignal())).toEqual([{ kind: 'done' }])
    expect(sandbox.events.list()).toHaveLength(1)
    expect(sandbox.calls().filter(({ route }) => route === '/events/v3/send')).toHaveLength(2)
  })

  it('that nobody has defined is refused by its name, without what it says', async () => {
    const { crmId, send } = await open()
    const id = '0b1c2d3e-4f50-8a6b-9c7d-8e9f00112234'
    const [outcome] = await send(event(crmId, { id, name: 'pe4242424_unheard_of' }))
    expect(outcome).toMatchObject({
      kind: 'rejected',
      reason: expect.stringMatching(/^event pe4242424_unheard_of: /),
    })
    expect(JSON.stringify(outcome)).not.toContain('became qualified')
  })
})
