import { inspect } from 'node:util'
import { describe, expect, it } from '@jest/globals'
import { isSyncFailure } from '../../src/core/errors.ts'
import type { CrmCall } from '../../src/core/ports/crm.ts'
import { findId, lookup, newContact } from './crm-contract-examples.ts'
import { connectProvisioned, noSignal, type SubjectHolder } from './crm-contract-subject.ts'

/** What `work` throws, which must be one of the four failures. */
export async function failureOf(work: Promise<unknown>) {
  const error: unknown = await work.then(
    () => null,
    (thrown: unknown) => thrown,
  )
  if (!isSyncFailure(error)) throw new Error(`expected a failure, got ${String(error)}`)
  return error
}

function everythingIn(error: Error): string {
  return [error.message, error.stack, JSON.stringify(error), inspect(error, { depth: 9 })].join(
    '\n',
  )
}

/** What is promised when the vendor, the network or the settings are in the way. */
export function describeFailures(holder: SubjectHolder): void {
  describe('when something is in the way', () => {
    it('a rate limit is told with its pause', async () => {
      const { subject } = holder
      const crm = await connectProvisioned(subject)
      for (const call of ['read', 'create-record'] as const) {
        subject.playFault('rate-limit', call)
        const work: Promise<unknown> =
          call === 'read'
            ? crm.find('contact', [lookup('p-1')], noSignal())
            : crm.write('contact', [newContact(subject, 'p-1')], noSignal())
        const error = await failureOf(work)
        if (error.kind !== 'rate-limited') throw new Error(`unexpected ${error.kind}`)
        expect(error.retryAfterMs).toBeGreaterThan(0)
      }
      expect(subject.records('contact')).toEqual([])
    })

    it('a wrong token is a matter of configuration', async () => {
      const crm = holder.subject.connect({ accessToken: 'wrong-token-4711' })
      const error = await failureOf(crm.check(noSignal()))
      expect(error.kind).toBe('config')
      expect(everythingIn(error)).not.toContain('wrong-token-4711')
    })

    it('a right token passes the check', async () => {
      await expect(holder.subject.connect().check(noSignal())).resolves.toBeUndefined()
    })

    it('a CRM that cannot be reached is retried later, reads and writes alike', async () => {
      const { subject } = holder
      const crm = subject.connect({ baseUrl: 'http://127.0.0.1:1' })
      const works: (() => Promise<unknown>)[] = [
        () => crm.check(noSignal()),
        () => crm.find('contact', [lookup('p-1')], noSignal()),
        () => crm.write('contact', [newContact(subject, 'p-1')], noSignal()),
      ]
      for (const work of works) {
        const error = await failureOf(work())
        expect(error.kind).toBe('retryable')
        expect(error.message).toContain('127.0.0.1:1')
        expect(error.message).toMatch(/_BASE_URL/)
      }
    })

    it.each(['reset', 'reset-after', 'too-late', 'server-error'] as const)(
      'a read that ends in %s may be repeated',
      async (fault) => {
        const { subject } = holder
        const crm = await connectProvisioned(subject, { timeoutMs: subject.shortTimeoutMs })
        subject.playFault(fault, 'read')
        const error = await failureOf(crm.find('contact', [lookup('p-1')], noSignal()))
        expect(error.kind).toBe('retryable')
      },
    )

    it('a create that was carried out but not answered is unknown, and happens once', async () => {
      const { subject } = holder
      const crm = await connectProvisioned(subject)
      subject.playFault('reset-after', 'create-record')
      const writes = [newContact(subject, 'p-1'), newContact(subject, 'p-2')]
      const outcomes = await crm.write('contact', writes, noSignal())
      expect(outcomes).toEqual([{ kind: 'unknown' }, { kind: 'unknown' }])
      const crmId = await findId(crm, 'p-1')
      expect(await crm.write('contact', writes, noSignal())).toMatchObject([
        { kind: 'written', crmId, created: false },
        { kind: 'written', created: false },
      ])
      expect(subject.records('contact')).toHaveLength(2)
    })

    it.each([
      ['create-record', 'empty-success'],
      ['create-record', 'too-late'],
      ['create-record', 'server-error'],
      ['update-record', 'empty-success'],
      ['update-record', 'reset-after'],
      ['update-record', 'reset'],
    ] as const)('%s: %s is unknown', async (call, fault) => {
      const { subject } = holder
      const crm = await connectProvisioned(subject, { timeoutMs: subject.shortTimeoutMs })
      const email = 'p-1@acme.example'
      const crmId = call === 'create-record' ? null : subject.seed('contact', { email })
      subject.playFault(fault, call)
      const outcomes = await crm.write(
        'contact',
        [{ ...newContact(subject, 'p-1'), crmId }],
        noSignal(),
      )
      expect(outcomes).toEqual([{ kind: 'unknown' }])
    })

    it('what was written stays told when the pause comes afterwards', async () => {
      const { subject } = holder
      const crm = await connectProvisioned(subject)
      const crmId = subject.seed('contact', { email: 'p-1@acme.example' })
      subject.playFault('rate-limit', 'create-record')
      const writes = [newContact(subject, 'p-2'), { ...newContact(subject, 'p-1'), crmId }]
      expect(await crm.write('contact', writes, noSignal())).toEqual([
        { kind: 'unknown' },
        { kind: 'written', crmId, created: false },
      ])
    })

    it('a caller that gives up is answered at once, before and during a call', async () => {
      const { subject } = holder
      let asked = 0
      const stopped = subject.connect({ pace: async () => void asked++ }).check(AbortSignal.abort())
      expect((await failureOf(stopped)).kind).toBe('retryable')
      expect(asked).toBe(0)
      const controller = new AbortController()
      let isLast = false
      const crm = await connectProvisioned(subject, {
        // Right before a call is sent.
        pace: async () => void (isLast && setTimeout(() => controller.abort(), 100)),
      })
      // What has to be known of the object is known from here on: the next call is the one that writes.
      await crm.write('contact', [newContact(subject, 'p-0')], noSignal())
      subject.playFault('too-late', 'create-record')
      isLast = true
      const work = crm.write('contact', [newContact(subject, 'p-1')], controller.signal)
      expect(await work).toEqual([{ kind: 'unknown' }])
    })

    it('every call is paced, and reported with its status', async () => {
      const { subject } = holder
      const paced: string[] = []
      const calls: CrmCall[] = []
      const crm = await connectProvisioned(subject, {
        pace: async (bucket) => void paced.push(bucket),
        onCall: (call) => void calls.push(call),
      })
      await crm.find(
        'company',
        [{ ref: 'a', key: 'a', emails: [], domains: ['a.test'] }],
        noSignal(),
      )
      subject.playFault('reset', 'create-record')
      await crm.write('contact', [newContact(subject, 'p-1')], noSignal())
      await crm.write('contact', [newContact(subject, 'p-1')], noSignal())
      expect(calls).toHaveLength(paced.length)
      expect(calls.length).toBeGreaterThanOrEqual(3)
      expect(calls.some((call) => call.kind === 'write' && call.status === 0)).toBe(true)
      expect(calls.some((call) => call.kind === 'write' && call.status >= 200)).toBe(true)
      expect(calls.every((call) => call.ms >= 0 && !/\d{5}/.test(call.endpoint))).toBe(true)
    })

    it('a pace that refuses is passed on, and nothing is sent', async () => {
      const { subject } = holder
      const calls: CrmCall[] = []
      const crm = subject.connect({
        pace: async () => {
          throw new Error('pace is broken')
        },
        onCall: (call) => void calls.push(call),
      })
      await expect(crm.check(noSignal())).rejects.toThrow('pace is broken')
      expect(calls).toEqual([])
    })

    it('no failure shows a token, an address or a value', async () => {
      const { subject } = holder
      const crm = await connectProvisioned(subject, { timeoutMs: subject.shortTimeoutMs })
      const secret = 'anna.secret@acme.example'
      for (const fault of ['rate-limit', 'reset', 'server-error', 'too-late'] as const) {
        subject.playFault(fault, 'read')
        const error = await failureOf(crm.find('contact', [lookup('p-1', [secret])], noSignal()))
        const everything = everythingIn(error)
        for (const value of [...subject.secrets, secret]) expect(everything).not.toContain(value)
      }
    })
  })
}
