import { describe, expect, it } from '@jest/globals'
import { checkTask } from '../../src/core/playbook/task-follow.ts'
import type { Crm, CrmTask, CrmTaskAmendment, CrmTaskState } from '../../src/core/ports/crm.ts'
import { type CrmSubject, noSignal, type SubjectHolder } from './crm-contract-subject.ts'

const NOTE = 'Closed by Ripen: sales said no & that is that'

interface OpenTask {
  readonly crm: Crm
  readonly taskId: string
  readonly task: CrmTask
  readonly state: CrmTaskState
}

async function openTask(
  subject: CrmSubject,
  more: Partial<CrmTask> = {},
  crm = subject.connect(),
): Promise<OpenTask> {
  const task: CrmTask = {
    marker: 'rp-1',
    subject: 'Acme is ready to talk',
    body: 'Anna exported 12 reports\nCall her',
    dueAt: '2026-11-23T09:00:00.000Z',
    priority: 'high',
    ownerId: subject.ownerId(),
    companyId: subject.seed('company', { domain: 'acme.example' }),
    contactIds: [],
    ...more,
  }
  const [created] = await crm.createTasks([task], noSignal())
  if (created?.kind !== 'created') throw new Error('expected a task')
  const { taskId } = created
  return { crm, taskId, task, state: await readOne(crm, taskId) }
}

async function readOne(crm: Crm, taskId: string): Promise<CrmTaskState> {
  const state = (await crm.readTasks([taskId], noSignal())).get(taskId)
  if (!state) throw new Error('expected a task')
  return state
}

const close = ({ crm, taskId, state }: OpenTask) =>
  crm.closeTasks([{ taskId, note: NOTE, fingerprint: state.fingerprint }], noSignal())
const textOf = (subject: CrmSubject) => Object.values(subject.records('task')[0] ?? {}).join('\n')
const times = (text: string, part: string) => text.split(part).length - 1

/** What becomes of a task: read back, and closed with a note when its reason is gone. */
export function describeTaskEnds(holder: SubjectHolder): void {
  describe('what becomes of a task', () => {
    it('is read: nobody has touched it, with all that was asked for', async () => {
      const { subject } = holder
      const dealId = subject.people.openDeal(
        { contactIds: [], companyIds: [] },
        { name: 'Acme', amount: 900 },
      )
      const queueId = subject.queueId()
      const open = await openTask(subject, { type: 'call', queueId, dealId })
      const { dueAt } = open.task
      expect(open.state).toMatchObject({
        status: 'not-started',
        completedAt: null,
        ownerId: subject.ownerId(),
        subject: open.task.subject,
        dueAt: subject.tasksAreDueOnDays ? `${dueAt.slice(0, 10)}T00:00:00.000Z` : dueAt,
        priority: 'high',
        type: 'call',
        queueIds: subject.queuesAreOwners ? [] : [queueId],
        archived: false,
      })
      expect(subject.taskTargets(open.taskId)).toContain(dealId)
      expect((await readOne(open.crm, open.taskId)).fingerprint).toBe(open.state.fingerprint)
      expect((await openTask(subject, { marker: 'rp-2' })).state.type).toBe('to-do')
    })

    it('is read: in a queue, and nobody’s as long as it has no owner', async () => {
      const { subject } = holder
      const queueId = subject.queueId()
      const open = await openTask(subject, { ownerId: null, queueId })
      expect(open.state).toMatchObject({ ownerId: null, queueIds: [queueId] })
    })

    it.each<{ name: string; more: (subject: CrmSubject) => Partial<CrmTask> }>([
      { name: 'with an owner', more: () => ({}) },
      { name: 'with neither owner nor queue', more: () => ({ ownerId: null }) },
      { name: 'in a queue', more: (one) => ({ ownerId: null, queueId: one.queueId() }) },
      {
        name: 'due at an odd instant, with a reminder',
        more: () => ({
          dueAt: '2026-11-23T23:59:59.123Z',
          reminderAt: '2026-11-23T22:59:59.123Z',
        }),
      },
      { name: 'with a subject that is cut', more: () => ({ subject: 'Acme '.repeat(80) }) },
    ])('is nobody’s deed as it was made, $name', async ({ more }) => {
      const { subject } = holder
      const { crm, task, state } = await openTask(subject, more(subject))
      const untouched = { ignored: [], touched: false }
      expect(checkTask(task, state, crm)).toEqual(untouched)
      const ownerId = task.ownerId === null ? subject.ownerId() : subject.formerOwnerId()
      expect(checkTask(task, { ...state, ownerId, ownedByMaker: false }, crm).touched).toBe(true)
      const dueAt = '2026-12-24T00:00:00.000Z'
      expect(checkTask(task, { ...state, dueAt }, crm).touched).toBe(true)
    })

    it('is read: done, when, and by whom', async () => {
      const { subject } = holder
      const { crm, taskId } = await openTask(subject)
      subject.people.completeTask(taskId)
      const done = await readOne(crm, taskId)
      expect(done).toMatchObject({ status: 'done', ownerId: subject.ownerId() })
      expect(Date.parse(done.completedAt ?? '')).not.toBeNaN()
    })

    it('is read: deleted, and one of which there is no trace is absent', async () => {
      const { subject } = holder
      const { crm, taskId } = await openTask(subject)
      subject.people.deleteTask(taskId)
      const states = await crm.readTasks([taskId, '999999'], noSignal())
      expect([...states].map(([id, { archived }]) => [id, archived])).toEqual([[taskId, true]])
      expect((await crm.readTasks([], noSignal())).size).toBe(0)
    })

    it.each(['beginTask', 'postponeTask', 'completeTask'] as const)(
      'has another fingerprint after %s, and is left alone',
      async (deed) => {
        const { subject } = holder
        const open = await openTask(subject)
        subject.people[deed](open.taskId)
        const before = subject.records('task')
        expect((await readOne(open.crm, open.taskId)).fingerprint).not.toBe(open.state.fingerprint)
        expect(await close(open)).toEqual([{ kind: 'changed' }])
        expect(subject.records('task')).toEqual(before)
      },
    )

    it('is closing: done, with the note above the text, found by its marker still', async () => {
      const { subject } = holder
      const open = await openTask(subject)
      expect(await close(open)).toEqual([{ kind: 'closed' }])
      expect(await readOne(open.crm, open.taskId)).toMatchObject({ status: 'done' })
      const text = textOf(subject)
      expect(text).toContain('Closed by Ripen')
      expect(text).toContain('Anna exported 12 reports')
      const found = await open.crm.findTasks([open.task], noSignal())
      expect([...found]).toEqual([['rp-1', open.taskId]])
      // Asked again, it has one note.
      expect(await close(open)).toEqual([{ kind: 'closed' }])
      expect(textOf(subject)).toBe(text)
    })

    it('is closing what somebody has deleted: nothing', async () => {
      const { subject } = holder
      const open = await openTask(subject)
      subject.people.deleteTask(open.taskId)
      expect(await close(open)).toEqual([{ kind: 'missing' }])
      expect(await open.crm.closeTasks([], noSignal())).toEqual([])
    })

    it.each(['reset-after', 'server-error', 'too-late', 'reset', 'empty-success'] as const)(
      'is in doubt when the closing call ends in %s, and has one note after asking again',
      async (fault) => {
        const { subject } = holder
        const open = await openTask(subject)
        subject.playFault(fault, 'close-task')
        const hasty = subject.connect({ timeoutMs: subject.shortTimeoutMs })
        expect(await close({ ...open, crm: hasty })).toEqual([{ kind: 'unknown' }])
        expect(await close(open)).toEqual([{ kind: 'closed' }])
        expect(times(textOf(subject), 'Closed by Ripen')).toBe(1)
      },
    )

    it('is nothing new when the CRM asks for a pause, and what was closed before is told', async () => {
      const { subject } = holder
      const first = await openTask(subject)
      subject.playFault('rate-limit', 'close-task')
      await expect(close(first)).rejects.toMatchObject({ kind: 'rate-limited' })
      const second = await openTask(subject, { marker: 'rp-2', companyId: null })
      const closings = [first, second].map(({ taskId, state }) => {
        return { taskId, note: NOTE, fingerprint: state.fingerprint }
      })
      expect(await first.crm.closeTasks(closings, noSignal())).toEqual([
        { kind: 'closed' },
        { kind: 'closed' },
      ])
    })
  })
  describe('what is added to a task that is open', () => {
    const LINE = 'Added by Ripen: Bob & Cyd are active too'
    const amend = ({ crm, taskId, state }: OpenTask, more: Partial<CrmTaskAmendment> = {}) =>
      crm.amendTasks(
        [{ taskId, note: LINE, contactIds: [], fingerprint: state.fingerprint, ...more }],
        noSignal(),
      )

    it('is a line above the text, once, and the task is as untouched as before', async () => {
      const { subject } = holder
      const open = await openTask(subject, { priority: 'low' })
      const contactId = subject.seed('contact', { email: 'bob@acme.example' })
      const [outcome] = await amend(open, { contactIds: [contactId], priority: 'high' })
      const now = await readOne(open.crm, open.taskId)
      expect(outcome).toEqual({
        ...{ kind: 'amended', touched: false },
        fingerprint: now.fingerprint,
      })
      expect(now).toMatchObject({ status: 'not-started', priority: 'high' })
      expect(textOf(subject)).toContain('Anna exported 12 reports')
      const text = textOf(subject)
      expect(times(text, 'Added by Ripen')).toBe(1)
      if (!subject.queuesAreOwners) expect(subject.taskTargets(open.taskId)).toContain(contactId)
      const again = await amend({ ...open, state: now }, { contactIds: [contactId] })
      expect(again).toEqual([outcome])
      expect(textOf(subject)).toBe(text)
      // It is closed by what it is now.
      expect(await close({ ...open, state: now })).toEqual([{ kind: 'closed' }])
    })

    it('leaves what a person made of it, and tells that somebody did', async () => {
      const { subject } = holder
      const open = await openTask(subject)
      subject.people.beginTask(open.taskId)
      expect(await amend(open)).toMatchObject([{ kind: 'amended', touched: true }])
      expect(await readOne(open.crm, open.taskId)).toMatchObject({ status: 'in-progress' })
      expect(textOf(subject)).toContain('Added by Ripen')
    })

    it('makes an untouched task somebody else’s, and more urgent', async () => {
      const { subject } = holder
      const open = await openTask(subject, { ownerId: null, priority: 'low' })
      const [outcome] = await amend(open, { ownerId: subject.ownerId(), priority: 'high' })
      expect(outcome).toMatchObject({ kind: 'amended', touched: false })
      const now = await readOne(open.crm, open.taskId)
      expect(now).toMatchObject({ ownerId: subject.ownerId(), priority: 'high' })
      expect(textOf(subject)).toContain('Added by Ripen')
    })

    it.each(['beginTask', 'postponeTask'] as const)(
      'takes no task from whoever has touched it by %s since it was read',
      async (deed) => {
        const { subject } = holder
        const open = await openTask(subject, { ownerId: null, priority: 'low' })
        subject.people[deed](open.taskId)
        const before = subject.records('task')
        const changed = [{ kind: 'changed' }]
        expect(await amend(open, { ownerId: subject.ownerId() })).toEqual(changed)
        expect(await amend(open, { priority: 'high' })).toEqual(changed)
        expect(subject.records('task')).toEqual(before)
      },
    )

    it('is nothing for a task that is done or gone', async () => {
      const { subject } = holder
      const open = await openTask(subject)
      subject.people.completeTask(open.taskId)
      expect(await amend(open)).toEqual([{ kind: 'done' }])
      subject.people.deleteTask(open.taskId)
      expect(await amend(open)).toEqual([{ kind: 'missing' }])
      expect(textOf(subject)).not.toContain('Added by Ripen')
      expect(await open.crm.amendTasks([], noSignal())).toEqual([])
    })

    it('are two lines for one task in one call', async () => {
      const { subject } = holder
      const { crm, taskId, state } = await openTask(subject)
      const one = { taskId, contactIds: [], fingerprint: state.fingerprint }
      const both = ['Added: first', 'Added: second'].map((note) => ({ ...one, note }))
      const outcomes = await crm.amendTasks(both, noSignal())
      expect(outcomes.map(({ kind }) => kind)).toEqual(['amended', 'amended'])
      for (const { note } of both) expect(textOf(subject)).toContain(note)
    })

    it.each(['reset-after', 'server-error', 'too-late', 'reset', 'empty-success'] as const)(
      'is in doubt when the call ends in %s, and there once after asking again',
      async (fault) => {
        const { subject } = holder
        const open = await openTask(subject)
        subject.playFault(fault, 'close-task')
        const hasty = subject.connect({ timeoutMs: subject.shortTimeoutMs })
        await amend({ ...open, crm: hasty })
        expect(await amend(open)).toMatchObject([{ kind: 'amended' }])
        expect(times(textOf(subject), 'Added by Ripen')).toBe(1)
      },
    )
  })
}
