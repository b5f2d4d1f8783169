import { mappingFiles } from './mapping-files.ts'
import { viewPortal } from './portal.ts'
import type { TestState } from './state.ts'
import { NOW, openThread, type Thread } from './thread.ts'

const HOUR_MS = 3_600_000
/** So many hours after the small history ends. */
export const later = (hours: number) => new Date(NOW.getTime() + hours * HOUR_MS)

/** What is tried. */
export interface TriedPlaybook {
  readonly id?: string
  readonly trigger: string
  readonly subject?: 'account' | 'person'
  /** More lines of the playbook. */
  readonly more?: string
  /** More lines of its task, indented by ten. */
  readonly task?: string
  readonly body?: string
}

/** A playbook that gives everybody the same task. */
export const tried = (one: TriedPlaybook): string => {
  const { id = 'tried', trigger, subject = 'person', more = '', task = '' } = one
  const { body = '{{ happened }}' } = one
  return `
id: ${id}
label: Tried
crm: hubspot
subject: ${subject}
trigger: ${trigger}
${more}
segments:
  - name: everybody
    motion: sales
    actions:
      - task:
          subject: "Tried {{ ${subject}.${subject === 'person' ? 'email' : 'domain'} }}"
          body: "${body}"
          due-in: 4h
          ${task}
`
}

/** A thread whose portal has the same clock. */
export interface TriedThread extends Thread {
  /** Sets both clocks. */
  at(hours: number): void
  /** Publishes the mappings with these playbooks in place of the others. */
  tryOut(playbooks: readonly string[], edit?: Edit): Promise<void>
}

type Files = Readonly<Record<string, string>>
/** Changes the mappings that ship, without `tasks:`, before they are published. */
export type Edit = (files: Files) => Files

/** Opens a thread with some playbooks and scores it. */
export async function openTried(
  origin: TestState,
  playbooks: readonly string[],
  edit: Edit = (files) => files,
): Promise<TriedThread> {
  let clock = NOW
  const filesOf = async (texts: readonly string[], change: Edit) => {
    const { 'hubspot.yaml': hubspot = '', ...others } = await mappingFiles()
    const own = { 'hubspot.yaml': hubspot.replace(/^tasks:[\s\S]*$/m, '') }
    const named = texts.map((text, i) => [`playbooks/tried-${i}.yaml`, text] as const)
    return change({ ...others, ...own, ...Object.fromEntries(named) })
  }
  const mappings = await filesOf(playbooks, edit)
  const hubspot = { now: () => clock.getTime() }
  const thread = await openThread({ origin, mappings, hubspot })
  await thread.score()
  return {
    ...thread,
    at(hours) {
      clock = later(hours)
      thread.setNow(clock)
    },
    async tryOut(texts, change = edit) {
      await thread.publish(await filesOf(texts, change))
    },
  }
}

/** The tasks in the portal. */
export const tasksOf = (thread: Thread) => viewPortal(thread.vendors.hubspot).tasks

/** The subjects of the tasks in the portal, in order. */
export const subjectsOf = (thread: Thread) =>
  tasksOf(thread)
    .map(({ subject }) => subject)
    .sort()

/** Adds these lines to a file of the mappings, below a line that is there. */
export const below =
  (file: string, line: string, more: string): Edit =>
  (files) => ({ ...files, [file]: (files[file] ?? '').replace(`${line}\n`, `${line}\n${more}\n`) })
