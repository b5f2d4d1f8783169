import type { CrmTaskType } from '../../src/core/ports/crm.ts'

/** What a planned task says; the CRM ids of the records are filled in when it is created. */
export interface PlannedTask {
  readonly subject: string
  readonly body: string
  readonly dueAt: string
  readonly priority: 'low' | 'medium' | 'high'
  readonly accountRef: string
  readonly personRefs: readonly string[]
  readonly type?: CrmTaskType
  readonly queueId?: string | null
  readonly reminderAt?: string | null
  /** IANA time zone of the owner; absent where nobody's working hours count. */
  readonly timeZone?: string | null
  /** The segment of its playbook; absent in those that an earlier version planned. */
  readonly segment?: string
  /** What started it, one line: what a task is told that takes this one in. */
  readonly reason?: string
}
