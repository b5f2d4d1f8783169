import { describe, expect, it } from '@jest/globals'
import type { CrmTask } from '../../src/core/ports/crm.ts'
import { type CrmSubject, noSignal, type SubjectHolder } from './crm-contract-subject.ts'

function seedAccount(subject: CrmSubject) {
  const companyId = subject.seed('company', { domain: 'acme.example' })
  const contactId = subject.seed('contact', { email: 'anna@acme.example' })
  return { companyId, contactIds: [contactId] }
}

function newTask(
  subject: CrmSubject,
  about: Pick<CrmTask, 'companyId' | 'contactIds'>,
  marker: string,
): CrmTask {
  return {
    marker,
    subject: 'Acme is ready to talk',
    body: 'Anna <anna@acme.example> & 3 others\nexported 12 reports',
    dueAt: '2026-11-23T09:00:00.000Z',
    priority: 'high',
    ownerId: subject.ownerId(),
    ...about,
  }
}

/** Tasks are created once, whatever happens to the call. */
export function describeTasks(holder: SubjectHolder): void {
  describe('tasks', () => {
    it('are created with what a person needs, and found by their marker', async () => {
      const { subject } = holder
      const crm = subject.connect()
      const about = seedAccount(subject)
      const [outcome] = await crm.createTasks([newTask(subject, about, 'rp-1')], noSignal())
      if (outcome?.kind !== 'created') throw new Error('expected a task')
      const [task, ...others] = subject.records('task')
      expect(others).toEqual([])
      expect(Object.values(task ?? {}).join('\n')).toContain('Acme is ready to talk')
      // What is shown as HTML must not become a tag of it.
      const text = Object.values(task ?? {}).join('\n')
      expect(text.includes('<anna')).toBe(subject.taskTextIsPlain === true)
      expect([...subject.taskTargets(outcome.taskId)].sort()).toEqual(
        [about.companyId, ...about.contactIds].sort(),
      )
      const wanted = ['rp-1', 'rp-10', 'rp'].map((marker) => ({ marker, ...about }))
      const found = await crm.findTasks(wanted, noSignal())
      expect([...found]).toEqual([['rp-1', outcome.taskId]])
    })

    it('are found through the company or a contact alone', async () => {
      const { subject } = holder
      const crm = subject.connect()
      const about = seedAccount(subject)
      await crm.createTasks(
        [
          newTask(subject, { ...about, contactIds: [] }, 'rp-1'),
          newTask(subject, { ...about, companyId: null }, 'rp-2'),
        ],
        noSignal(),
      )
      const found = await crm.findTasks(
        [
          { marker: 'rp-1', companyId: about.companyId, contactIds: [] },
          { marker: 'rp-2', companyId: null, contactIds: about.contactIds },
        ],
        noSignal(),
      )
      expect([...found.keys()].sort()).toEqual(['rp-1', 'rp-2'])
    })

    it('are not looked for when nothing is wanted', async () => {
      const found = await holder.subject.connect().findTasks([], noSignal())
      expect(found.size).toBe(0)
    })

    it.each(['reset-after', 'server-error', 'too-late', 'reset', 'empty-success'] as const)(
      'a call that ends in %s is unknown and not repeated',
      async (fault) => {
        const { subject } = holder
        const crm = subject.connect({ timeoutMs: subject.shortTimeoutMs })
        const about = seedAccount(subject)
        subject.playFault(fault, 'create-task')
        const outcomes = await crm.createTasks([newTask(subject, about, 'rp-1')], noSignal())
        expect(outcomes).toEqual([{ kind: 'unknown' }])
        const isThere = fault === 'reset-after'
        expect(subject.records('task')).toHaveLength(isThere ? 1 : 0)
        const found = await subject.connect().findTasks([{ marker: 'rp-1', ...about }], noSignal())
        expect(found.has('rp-1')).toBe(isThere)
      },
    )

    it('keep the outcomes that are certain when a later one is not', async () => {
      const { subject } = holder
      const crm = subject.connect()
      const about = seedAccount(subject)
      const [first] = await crm.createTasks([newTask(subject, about, 'rp-0')], noSignal())
      subject.playFault('rate-limit', 'create-task')
      await expect(
        crm.createTasks([newTask(subject, about, 'rp-1')], noSignal()),
      ).rejects.toMatchObject({ kind: 'rate-limited' })
      const refused = { ...newTask(subject, about, 'rp-2'), companyId: '99999999' }
      const outcomes = await crm.createTasks([refused, newTask(subject, about, 'rp-3')], noSignal())
      expect(first?.kind).toBe('created')
      expect(outcomes.map((outcome) => outcome.kind)).toEqual(['rejected', 'created'])
    })
  })
}
