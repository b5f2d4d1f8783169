import type { CrmTask, CrmTaskStatus, CrmTaskType } from '../../../src/core/ports/crm.ts'

/** HubSpot's words for what a task asks for. */
export const TASK_TYPES: Readonly<Record<CrmTaskType, string>> = {
  'to-do': 'TODO',
  call: 'CALL',
  email: 'EMAIL',
}

/** HubSpot's words for how a task stands. */
export const TASK_STATUSES: Readonly<Record<CrmTaskStatus, string>> = {
  'not-started': 'NOT_STARTED',
  'in-progress': 'IN_PROGRESS',
  waiting: 'WAITING',
  deferred: 'DEFERRED',
  done: 'COMPLETED',
}

/** A status that HubSpot may add: somebody has chosen it, so the task is not untouched. */
const UNHEARD_OF = 'waiting'

export function readStatus(word: string | null | undefined): CrmTaskStatus {
  if (!word) return 'not-started'
  return keyOf(TASK_STATUSES, word) ?? UNHEARD_OF
}

export function readType(word: string | null | undefined): CrmTaskType | null {
  return keyOf(TASK_TYPES, word ?? '') ?? null
}

export function readPriority(word: string | null | undefined): CrmTask['priority'] | null {
  const known = (['low', 'medium', 'high'] as const).find((one) => one === word?.toLowerCase())
  return known ?? null
}

function keyOf<Key extends string>(
  words: Readonly<Record<Key, string>>,
  word: string,
): Key | undefined {
  const entries = Object.entries(words) as [Key, string][]
  return entries.find(([, known]) => known === word)?.[0]
}
