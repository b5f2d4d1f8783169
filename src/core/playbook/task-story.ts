import { Liquid } from 'liquidjs'
import { cutText } from '../cut-text.ts'
import { ConfigError } from '../errors.ts'
import type { TaskMapping } from '../mapping/crm-mapping.ts'

/** What a task template may tell; every text is as the rep reads it. */
export interface TaskStory {
  /** `domain` is empty for an account that has none. */
  readonly account: { readonly name: string; readonly domain: string }
  readonly score: number
  readonly grade: string
  readonly trend: string
  readonly summary: string
  /** The account's contributions with their points; they sum to the score. */
  readonly reasons: readonly string[]
  readonly active_users: number
  readonly qualified_users: number
  readonly champion: Person | null
  readonly others: readonly Person[]
  /** The newest deal of the account that is open; null without one, or where deals are not read. */
  readonly deal: StoryDeal | null
  /** Name of the playbook as people read it. */
  readonly playbook: string
  /** What started the playbook: one line. */
  readonly happened: string
  /** What made the last change of the score; empty when nothing did. */
  readonly changed: string
  /** Every reason with its points, one a line. */
  readonly explanation: string
  /** What is known of the person or account besides behaviour, as its reasons tell it. */
  readonly fit: readonly string[]
  /** Whom the playbook is about; null where it is about an account. */
  readonly person: Person | null
  /** Address of the subject in the console; empty where RIPEN_PUBLIC_URL is not set. */
  readonly link: string
}

/** A deal in a task's text. */
export interface StoryDeal {
  readonly name: string
  /** The CRM's name of the stage. */
  readonly stage: string
  readonly amount: number | null
  readonly currency: string | null
  /** The day on which it was opened, `YYYY-MM-DD`. */
  readonly since: string
}

/** Somebody as a text tells of her. */
export interface Person {
  readonly email: string
  readonly score: number
  /** What she did, best evidence first, without points. */
  readonly did: readonly string[]
}

const MOST_SUBJECT = 255

const liquid = new Liquid({ strictFilters: true, strictVariables: true })

/**
 * Renders subject and body of a task.
 * @param where the templates stand, for the message.
 * @throws {ConfigError} naming the template and the place when it does not render.
 */
export async function renderTask(
  mapping: Pick<TaskMapping, 'subject' | 'body'>,
  story: TaskStory,
  where = 'tasks',
): Promise<{ subject: string; body: string }> {
  const subject = await renderText(`${where}.subject`, mapping.subject, story)
  const body = await renderText(`${where}.body`, mapping.body, story)
  return {
    subject: cutText(subject.replace(/\s+/g, ' ').trim(), MOST_SUBJECT),
    body: body.replace(/\n{3,}/g, '\n\n').trim(),
  }
}

/**
 * Renders any other text.
 * @throws {ConfigError} naming `where` it stands and the place when it does not render.
 */
export async function renderText(
  where: string,
  template: string,
  story: TaskStory,
): Promise<string> {
  try {
    return String(await liquid.parseAndRender(template, story))
  } catch (cause) {
    const message = cause instanceof Error ? cause.message : String(cause)
    throw new ConfigError(`${where}: ${message}; correct the template`, { cause })
  }
}

/** What is wrong with one template of a task, before any account is told in it. */
export interface TemplateProblem {
  readonly template: 'subject' | 'body'
  readonly message: string
}

/** Renders both templates with the fullest and the barest stories that there can be. */
export function templateProblems(
  mapping: Pick<TaskMapping, 'subject' | 'body'>,
): readonly TemplateProblem[] {
  return (['subject', 'body'] as const).flatMap((template) => {
    const message = textProblem(mapping[template])
    return message === null ? [] : [{ template, message }]
  })
}

/** What is wrong with a text; null when it renders whoever and whatever is there or is not. */
export function textProblem(text: string): string | null {
  try {
    for (const story of SAMPLE_STORIES) liquid.parseAndRenderSync(text, story)
    return null
  } catch (cause) {
    const message = cause instanceof Error ? cause.message : String(cause)
    return `does not render: ${message}`
  }
}

const SAMPLE_PERSON: Person = {
  email: 'someone@example.com',
  score: 70,
  did: ['Built a dashboard'],
}
const SAMPLE_STORY: TaskStory = {
  account: { name: 'example.com', domain: 'example.com' },
  score: 70,
  grade: 'B',
  trend: 'rising',
  summary: 'qualified',
  reasons: ['+30 Active people (3 people)'],
  active_users: 3,
  qualified_users: 1,
  champion: SAMPLE_PERSON,
  others: [SAMPLE_PERSON],
  deal: {
    name: 'Team plan',
    stage: 'Contract sent',
    amount: 1200,
    currency: 'EUR',
    since: '2026-01-31',
  },
  playbook: 'Account qualified',
  happened: 'became qualified',
  changed: '+10 active people',
  explanation: '+30 Active people (3 people)',
  fit: ['A business address'],
  person: SAMPLE_PERSON,
  link: 'https://ripen.example.com',
}
const BARE = { reasons: [], changed: '', explanation: '', fit: [], link: '' } as const
const NOBODY = { champion: null, others: [] } as const
/** Each combination of who and what is there: a text may ask for one of them within another. */
const SAMPLE_STORIES: readonly TaskStory[] = [{}, NOBODY, { others: [] }].flatMap((people) =>
  [{}, { deal: null }].flatMap((deal) =>
    [{}, { person: null }].flatMap((person) =>
      [{}, BARE].map((rest) => ({ ...SAMPLE_STORY, ...people, ...deal, ...person, ...rest })),
    ),
  ),
)

/**
 * True when behaviour is fresh enough to start a task: a backfill, a first sync or a changed model
 * sets fields quietly.
 */
export function isFresh(evidenceAt: string | null, withinMs: number, now: Date): boolean {
  return evidenceAt !== null && now.getTime() - Date.parse(evidenceAt) <= withinMs
}
