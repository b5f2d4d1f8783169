import type { Crm, CrmTask, CrmTaskState } from '../ports/crm.ts'
import type { SalesState } from '../scoring/features.ts'
import { dayIn } from './due.ts'

/** How the subject of a task stands now. */
export interface SubjectNow {
  /** Of the model that speaks for it; null when nobody scores it any more. */
  readonly usageStatus: string | null
  /** When it entered `qualified` last, in milliseconds since 1970 UTC; null if never. */
  readonly qualifiedAt: number | null
  readonly sales: Pick<SalesState, 'status' | 'since'>
  /** When sales spoke to somebody last of whom we know, in milliseconds since 1970 UTC; null or absent if never. */
  readonly contactAt?: number | null
  /** The rule by which the model leaves it out; null or absent when it does not. */
  readonly excludedBy?: string | null
  /** Of what started by something else than `qualified`: why that is over, null while it lasts. */
  readonly lapsed?: string | null
  /** How the note speaks of the subject; `account` when left out. */
  readonly noun?: 'account' | 'person'
}

/** What sales may say that ends the reason of a task, and how the note tells it. */
const ENDED_BY_SALES: Readonly<Partial<Record<SalesState['status'], string>>> = {
  rejected: 'sales said no',
  won: 'the deal was won',
  lost: 'the deal was lost',
}

/**
 * Why the reason of a task is gone; null while it stands. Only what sales said and did since the trigger
 * counts: a deal that was won years ago ends nothing.
 * @param episode the instant of what the task is about, in milliseconds since 1970 UTC.
 */
export function goneReason(episode: number, now: SubjectNow): string | null {
  const { noun = 'account', lapsed, excludedBy = null } = now
  const said = ENDED_BY_SALES[now.sales.status]
  if (said !== undefined && (now.sales.since ?? 0) >= episode) return said
  if ((now.contactAt ?? 0) >= episode) return 'sales is in contact already'
  if (excludedBy !== null) return `the model leaves the ${noun} out: ${excludedBy}`
  if (lapsed !== undefined) return lapsed
  if (now.usageStatus !== 'qualified') return `the ${noun} is not qualified any more`
  return (now.qualifiedAt ?? 0) > episode ? `the ${noun} became qualified anew since` : null
}

/** The line that a closed task has above its text. */
export const closingNote = (reason: string): string => `Closed by Ripen: ${reason}.`

/** What is otherwise than asked for, as soon as a task is there. */
export interface TaskCheck {
  /** Parts that the CRM did not take. */
  readonly ignored: readonly string[]
  /** True when a person was there before us: what she touches is hers. */
  readonly touched: boolean
}

type Asked = Omit<CrmTask, 'companyId' | 'contactIds'>

/**
 * Holds a new task against what was asked for. A CRM may leave out what it does not take without a word;
 * subject, status, owner and due time are never left out, so that somebody has changed them.
 */
export function checkTask(
  asked: Asked,
  seen: CrmTaskState,
  { tasksAreDueOnDays = false }: Pick<Crm, 'tasksAreDueOnDays'> = {},
): TaskCheck {
  const ignored = [
    ...(seen.type === (asked.type ?? 'to-do') ? [] : ['type']),
    ...(seen.priority === asked.priority ? [] : ['priority']),
    ...(asked.queueId && !seen.queueIds.includes(asked.queueId) ? ['queue'] : []),
    ...(isSameTime(seen.reminderAt, asked.reminderAt) ? [] : ['reminder']),
  ]
  const isDueThen = tasksAreDueOnDays
    ? seen.dueAt?.slice(0, 10) === dueDay(asked)
    : isSameTime(seen.dueAt, asked.dueAt)
  const isOurs =
    isSameSubject(seen.subject, asked.subject) &&
    ownerOf(asked, seen) === asked.ownerId &&
    isDueThen
  return { ignored, touched: seen.status !== 'not-started' || !isOurs }
}

/** Whose a task is: nobody's where it was asked for without an owner and its maker has it for that alone. */
export function ownerOf(
  asked: Pick<Asked, 'ownerId' | 'queueId'>,
  seen: Pick<CrmTaskState, 'ownerId' | 'ownedByMaker'>,
): string | null {
  return asked.ownerId === null && !asked.queueId && seen.ownedByMaker ? null : seen.ownerId
}

/** The day on which a task is due where its owner is, `YYYY-MM-DD`. */
export const dueDay = ({ dueAt, timeZone }: Pick<CrmTask, 'dueAt' | 'timeZone'>): string =>
  dayIn(new Date(dueAt), timeZone ?? 'UTC')

/** A CRM may cut a long one, and then says so, and cut off spaces. */
function isSameSubject(seen: string, asked: string): boolean {
  const [is, was] = [seen.trim(), asked.trim()]
  return is === was || (is.length > 1 && is.endsWith('…') && was.startsWith(is.slice(0, -1)))
}

/** Some CRMs keep whole seconds and leave out the rest. */
function isSameTime(a: string | null | undefined, b: string | null | undefined): boolean {
  return a && b ? Math.abs(Date.parse(a) - Date.parse(b)) < 1_000 : !a && !b
}
