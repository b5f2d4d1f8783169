import type { CrmMapping, TaskMapping } from '../mapping/crm-mapping.ts'
import { DEFAULT_GUARDS, type Playbook, type PlaybookTask } from '../mapping/playbook.ts'

/** The id of the playbook that `tasks:` of a CRM's mapping stands for. */
export const SHORT_PLAYBOOK = 'account-qualified'

/** The name of its one segment. */
const EVERYBODY = 'all'

interface Playbooks {
  readonly crms: ReadonlyMap<string, CrmMapping>
  readonly playbooks: ReadonlyMap<string, Playbook>
}

/** The playbooks of one CRM that are enabled: the one that its `tasks:` stand for, and those of the folder. */
export function playbooksOf(set: Playbooks, crm: string): readonly Playbook[] {
  const tasks = set.crms.get(crm)?.tasks
  const own = [...set.playbooks.values()].filter((one) => one.crm === crm && one.enabled)
  return tasks ? [shortPlaybook(crm as Playbook['crm'], tasks), ...own] : own
}

/** The task of a segment of a playbook; null when there is no such thing any more. */
export function taskRules(
  set: Playbooks,
  crm: string,
  playbook: string,
  segment: string,
): PlaybookTask | null {
  const rules = playbooksOf(set, crm).find(({ id }) => id === playbook)
  const found = rules?.segments.find(({ name }) => name === segment)
  const action = found?.actions.find((one) => 'task' in one)
  return action && 'task' in action ? action.task : null
}

/** What `tasks:` says, in full. */
function shortPlaybook(crm: Playbook['crm'], tasks: TaskMapping): Playbook {
  const { on, 'evidence-within': evidenceWithin, ...task } = tasks
  return {
    id: on,
    enabled: true,
    label: 'Account qualified',
    crm,
    subject: 'account',
    trigger: { 'status-entered': 'qualified' },
    conditions: [],
    guards: {
      ...DEFAULT_GUARDS,
      'evidence-within': evidenceWithin,
      'cool-down': 0,
      'after-rejection': 0,
    },
    segments: [
      {
        name: EVERYBODY,
        when: [],
        motion: 'sales',
        actions: [{ task: { ...task, assign: ['account-owner'], 'one-open': true } }],
      },
    ],
  }
}
