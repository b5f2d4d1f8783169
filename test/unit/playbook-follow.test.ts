import { describe, expect, it } from '@jest/globals'
import { checkTask, goneReason, type SubjectNow } from '../../src/core/playbook/task-follow.ts'
import type { CrmTaskState } from '../../src/core/ports/crm.ts'

const EPISODE = Date.parse('2026-11-20T10:00:00Z')
const NONE = { status: 'none', since: null } as const
const STANDS: SubjectNow = { usageStatus: 'qualified', qualifiedAt: EPISODE, sales: NONE }

describe('the reason of a task', () => {
  it.each<{ name: string; now: Partial<SubjectNow>; want: string | null }>([
    { name: 'stands while the account is qualified', now: {}, want: null },
    { name: 'is gone when it cools', now: { usageStatus: 'cooling' }, want: 'not qualified' },
    { name: 'is gone when nobody scores it', now: { usageStatus: null }, want: 'not qualified' },
    { name: 'is gone in a later stay', now: { qualifiedAt: EPISODE + 1 }, want: 'anew' },
    {
      name: 'is gone when sales said no since',
      now: { sales: { status: 'rejected', since: EPISODE } },
      want: 'sales said no',
    },
    {
      name: 'is gone when a deal was won since',
      now: { sales: { status: 'won', since: EPISODE + 1 } },
      want: 'won',
    },
    {
      name: 'is gone when a deal was lost since',
      now: { sales: { status: 'lost', since: EPISODE + 1 } },
      want: 'lost',
    },
    {
      name: 'stands when a deal was won before',
      now: { sales: { status: 'won', since: EPISODE - 1 } },
      want: null,
    },
    {
      name: 'stands while sales works on it',
      now: { sales: { status: 'opportunity', since: EPISODE + 1 } },
      want: null,
    },
    { name: 'is gone when sales spoke to them', now: { contactAt: EPISODE }, want: 'in contact' },
    { name: 'stands when sales spoke to them before', now: { contactAt: EPISODE - 1 }, want: null },
    {
      name: 'is gone when what started it is over, whatever the status',
      now: { lapsed: 'there is room again' },
      want: 'room',
    },
    {
      name: 'stands while what started it lasts, whatever the status',
      now: { lapsed: null, usageStatus: 'nurture' },
      want: null,
    },
  ])('$name', ({ now, want }) => {
    const reason = goneReason(EPISODE, { ...STANDS, ...now })
    if (want === null) expect(reason).toBeNull()
    else expect(reason).toContain(want)
  })
})

const asked = {
  marker: 'rp-1',
  subject: 'Call Acme',
  body: 'x',
  dueAt: '2026-11-23T09:00:00.000Z',
  priority: 'high',
  ownerId: '7',
  type: 'call',
  queueId: '77',
  reminderAt: '2026-11-23T08:00:00.000Z',
} as const
const seen: CrmTaskState = {
  status: 'not-started',
  completedAt: null,
  ownerId: '7',
  subject: 'Call Acme',
  dueAt: '2026-11-23T09:00:00Z',
  priority: 'high',
  type: 'call',
  queueIds: ['77'],
  reminderAt: '2026-11-23T08:00:00.000Z',
  fingerprint: 'f',
  archived: false,
}

describe('a task that was just made', () => {
  it.each<{ name: string; is: Partial<CrmTaskState>; ignored?: string[]; touched?: boolean }>([
    { name: 'is as it was asked for', is: {} },
    { name: 'lacks its queue', is: { queueIds: [] }, ignored: ['queue'] },
    { name: 'lacks its reminder', is: { reminderAt: null }, ignored: ['reminder'] },
    { name: 'has another type', is: { type: 'to-do' }, ignored: ['type'] },
    { name: 'has another priority', is: { priority: null }, ignored: ['priority'] },
    { name: 'was begun by somebody', is: { status: 'in-progress' }, touched: true },
    { name: 'was given to somebody else', is: { ownerId: '8' }, touched: true },
    { name: 'was put off', is: { dueAt: '2026-11-24T09:00:00Z' }, touched: true },
    { name: 'was renamed', is: { subject: 'Mine' }, touched: true },
  ])('$name', ({ is, ignored = [], touched = false }) => {
    expect(checkTask(asked, { ...seen, ...is })).toEqual({ ignored, touched })
  })

  it('asks for no more than it says', () => {
    const { type: _type, queueId: _queue, reminderAt: _reminder, ...plain } = asked
    const as = { ...seen, type: 'to-do', queueIds: [], reminderAt: null } as const
    expect(checkTask(plain, as)).toEqual({ ignored: [], touched: false })
  })
})
