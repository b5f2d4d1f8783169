import { describe, expect, it } from '@jest/globals'
import {
  checkTask,
  goneReason,
  ownerOf,
  type SubjectNow,
} from '../../src/core/playbook/task-follow.ts'
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

  it.each<{ name: string; is: Partial<CrmTaskState>; zone?: string; touched: boolean }>([
    { name: 'its day', is: { dueAt: '2026-11-23T00:00:00.000Z' }, touched: false },
    { name: 'another day', is: { dueAt: '2026-11-24T00:00:00.000Z' }, touched: true },
    { name: 'no day', is: { dueAt: null }, touched: true },
    {
      name: 'the day where its owner is',
      is: { dueAt: '2026-11-22T00:00:00.000Z' },
      zone: 'Pacific/Honolulu',
      touched: false,
    },
  ])('is due on $name where tasks are due on days', ({ is, zone, touched }) => {
    const told = zone ? { ...asked, timeZone: zone } : asked
    const days = { tasksAreDueOnDays: true }
    expect(checkTask(told, { ...seen, ...is }, days)).toEqual({ ignored: [], touched })
  })

  it('is its maker’s where the CRM knows none without an owner, and may be no queue’s', () => {
    const nobodys = { ...asked, ownerId: null, queueId: null }
    const as = { ...seen, ownerId: '1', queueIds: [] }
    expect(checkTask(nobodys, { ...as, ownedByMaker: true }).touched).toBe(false)
    expect(checkTask(nobodys, as).touched).toBe(true)
    expect(ownerOf(nobodys, { ...as, ownedByMaker: true })).toBeNull()
    expect(ownerOf(asked, { ...as, ownedByMaker: true })).toBe('1')
    const queued = { ...nobodys, queueId: '77' }
    expect(checkTask(queued, { ...as, ownedByMaker: true }).touched).toBe(true)
  })

  it('asks for no more than it says', () => {
    const { type: _type, queueId: _queue, reminderAt: _reminder, ...plain } = asked
    const as = { ...seen, type: 'to-do', queueIds: [], reminderAt: null } as const
    expect(checkTask(plain, as)).toEqual({ ignored: [], touched: false })
  })
})
