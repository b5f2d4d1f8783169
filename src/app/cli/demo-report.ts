import { z } from 'zod'
import type { SampleCompany } from '../../../sandbox/company/sample-company.ts'
import { SANDBOX_CREDENTIALS, type SandboxServer } from '../../../sandbox/sandbox-server.ts'
import type { DemoLook, Restlessness } from '../demo-days.ts'
import type { AccountStory } from '../demo-story.ts'
import type { Ranked } from '../ranking.ts'
import { describeLooks, describeRestlessness, describeStory } from './demo-days-report.ts'
import { rankingTable, table } from './tables.ts'

export interface DemoOutcome {
  readonly counts: Readonly<
    Record<
      'events' | 'people' | 'accounts' | 'qualifiedPeople' | 'qualifiedAccounts' | 'tasks',
      number
    >
  >
  readonly looks: readonly DemoLook[]
  readonly again: DemoLook | null
  readonly restless: Restlessness
  readonly rejected: AccountStory | undefined
  readonly won: AccountStory | undefined
  readonly seconds: number
  readonly best: { readonly people: readonly Ranked[]; readonly accounts: readonly Ranked[] }
  readonly company: SampleCompany
  readonly sandbox: SandboxServer
}

/** What the demo ends with, as text. */
export async function demoReport(outcome: DemoOutcome): Promise<string> {
  const { counts, looks, again, restless, rejected, won, seconds, best, sandbox } = outcome
  return [
    '',
    'COUNTS',
    table([
      ['  events', String(counts.events)],
      ['  people', `${counts.people}, ${counts.qualifiedPeople} of them qualified`],
      ['  accounts', `${counts.accounts}, ${counts.qualifiedAccounts} of them qualified`],
      ['  tasks', String(counts.tasks)],
    ]),
    '',
    'TOP PEOPLE (PQL)',
    rankingTable(best.people),
    '',
    'TOP ACCOUNTS (PQA)',
    rankingTable(best.accounts),
    '',
    'ONE TASK, AS THE REP READS IT',
    await taskText(sandbox),
    '',
    'WHAT REPS ANSWERED CAME BACK (the same use in both companies)',
    ...[rejected, won].flatMap((story) => (story ? describeStory(story) : [])),
    '',
    'NO FLAPPING IN THIRTY DAYS',
    ...describeRestlessness(restless),
    '',
    'RECORDS WRITTEN, AND WRITE CALLS, OF EACH DAY',
    ...describeLooks(looks, again),
    '',
    `Done in ${seconds} s. Go on with: npm start`,
    '  (API, workers and sandbox stay up; the records are on the page of the sandbox)',
  ].join('\n')
}

async function taskText(sandbox: SandboxServer): Promise<string> {
  const task = sandbox.hubspot.records('tasks').at(-1)
  if (!task) return '  no account became ready within the last day'
  const p = task.properties
  const company = companyOf(sandbox, task.id)
  const lines = [
    `${p['hs_task_subject']}`,
    `For: ${await ownerName(sandbox, p['hubspot_owner_id'])}   Due: ${instant(p['hs_timestamp'])}   Priority: ${p['hs_task_priority']}`,
    `On: ${company}`,
    '',
    ...plain(p['hs_task_body'] ?? '').split('\n'),
  ]
  return lines.map((line) => `  │ ${line}`.trimEnd()).join('\n')
}

function companyOf(sandbox: SandboxServer, taskId: string): string {
  const links = sandbox.hubspot
    .associations()
    .filter((a) => a.from.type === 'tasks' && a.from.id === taskId)
  const named = links.map(({ to }) => {
    const record = sandbox.hubspot.records(to.type).find((r) => r.id === to.id)
    return record?.properties['name'] ?? record?.properties['email'] ?? to.id
  })
  return named.join(', ')
}

/** Asks the stand-in, as any client would. */
async function ownerName(sandbox: SandboxServer, id: string | undefined): Promise<string> {
  if (!id) return 'nobody yet'
  const response = await fetch(`${sandbox.baseUrl}/crm/v3/owners/${id}`, {
    headers: { authorization: `Bearer ${SANDBOX_CREDENTIALS.hubspotToken}` },
  })
  const owner = ownerSchema.safeParse(await response.json())
  return owner.success ? `${owner.data.firstName} ${owner.data.lastName}` : `owner ${id}`
}

const ownerSchema = z.object({ firstName: z.string(), lastName: z.string() })

function instant(text: string | undefined): string {
  if (!text) return ''
  const ms = /^\d+$/.test(text) ? Number(text) : Date.parse(text)
  return new Date(ms).toISOString().slice(0, 16).replace('T', ' ')
}

/** The little HTML that a task body holds, as text. */
function plain(html: string): string {
  return html
    .replace(/<br\s*\/?>|<\/p>/gi, '\n')
    .replace(/<[^>]*>/g, '')
    .replaceAll('&lt;', '<')
    .replaceAll('&gt;', '>')
    .replaceAll('&quot;', '"')
    .replaceAll('&#39;', "'")
    .replaceAll('&amp;', '&')
    .trim()
}
