import type { MappingSet } from '../../src/core/mapping/mapping-set.ts'
import type { Model } from '../../src/core/mapping/model.ts'
import type { Playbook } from '../../src/core/mapping/playbook.ts'
import type { StoryDeal, TaskStory } from '../../src/core/playbook/task-story.ts'
import { createExplainer, type Explainer } from '../../src/core/scoring/explain.ts'
import { isBookkeeping } from '../../src/core/scoring/points.ts'
import type { Score } from '../../src/core/scoring/score.ts'
import type { Tx } from '../../src/infra/postgres/database.ts'
import type { StoredDeal } from '../../src/infra/postgres/deal-store.ts'
import { readScores } from '../../src/infra/postgres/score-store.ts'
import type { Started } from './playbook-triggers.ts'
import type { Spoken } from './speakers.ts'

/** Most people whom a text names. */
export const MOST_PEOPLE = 5

/** What a story is told of. */
export interface StoryInput {
  readonly set: MappingSet
  readonly playbook: Playbook
  readonly started: Started
  /** The account of the subject as the model speaks that speaks for it; null without one. */
  readonly account: Spoken | null
  readonly accountId: string | null
  /** People who may be named; nobody else is. */
  readonly people: ReadonlySet<string>
  readonly deal: StoredDeal | undefined
  readonly publicUrl: string | null
}

/** The people whom an account's score names, whom to call first in front. */
export const namedBy = ({ facts }: Score): string[] =>
  [facts.championId, ...facts.otherIds].filter((id) => id !== null)

/** Tells what a playbook's texts may say. */
export async function storyOf(tx: Tx, input: StoryInput): Promise<TaskStory> {
  const { set, playbook, started, account, accountId, people, deal, publicUrl } = input
  const { score, model } = started.spoken
  const words = createExplainer(model)
  const named = (account ? namedBy(account.score) : []).filter((id) => people.has(id))
  const isPerson = playbook.subject === 'person'
  const ids = [...new Set([...named, ...(isPerson ? [score.subjectId] : [])])]
  const told = await tellerOf(tx, set, account?.model ?? model, ids)
  const [champion, ...others] = named
  const facts = account?.score.facts ?? score.facts
  return {
    account: await accountOf(tx, accountId),
    score: score.score,
    grade: score.grade,
    trend: score.trend,
    summary: words.summary(score),
    reasons: words
      .table(score)
      .split('\n')
      .filter((line) => line !== ''),
    active_users: facts.activeUsers,
    qualified_users: facts.qualifiedUsers,
    champion: champion === undefined ? null : told(champion),
    others: others.slice(0, MOST_PEOPLE - 1).map(told),
    deal: deal ? storyDeal(deal) : null,
    playbook: playbook.label,
    happened: happened(playbook, started, words),
    changed: words.changed(score),
    explanation: words.table(score),
    fit: fitOf(model, score, words),
    person: isPerson ? told(score.subjectId) : null,
    link:
      publicUrl === null
        ? ''
        : `${publicUrl.replace(/\/$/, '')}/${playbook.subject}s/${score.subjectId}`,
  }
}

async function accountOf(tx: Tx, id: string | null): Promise<TaskStory['account']> {
  const row =
    id === null
      ? undefined
      : await tx
          .selectFrom('account')
          .select(['name', 'domain'])
          .where('id', '=', id)
          .executeTakeFirst()
  return { name: row?.name ?? '', domain: row?.domain ?? '' }
}

/** Tells of people by their scores. */
async function tellerOf(tx: Tx, set: MappingSet, model: Model, ids: readonly string[]) {
  const ofPeople = model.subject === 'person' ? model : set.models.get(model['people-model'] ?? '')
  const words = createExplainer(ofPeople ?? model)
  const scores = ofPeople ? await readScores(tx, ofPeople.id, ids) : new Map<string, Score>()
  const rows = ids.length
    ? await tx.selectFrom('person').select(['id', 'email']).where('id', 'in', ids).execute()
    : []
  const emails = new Map(rows.map((row) => [row.id, row.email]))
  return (id: string) => ({
    email: emails.get(id) ?? 'somebody without an e-mail address',
    score: scores.get(id)?.score ?? 0,
    did: (scores.get(id)?.contributions ?? [])
      .filter((part) => part.points > 0 && !isBookkeeping(part))
      .map(words.behaviour),
  })
}

function storyDeal({ name, stage, amount, currency, createdAt }: StoredDeal): StoryDeal {
  return { name, stage, amount, currency, since: createdAt.slice(0, 10) }
}

function fitOf({ signals }: Model, score: Score, words: Explainer): string[] {
  const ofTraits = new Set(signals.flatMap((signal) => ('trait' in signal ? [signal.id] : [])))
  return score.contributions.filter(({ id }) => ofTraits.has(id)).map(words.behaviour)
}

function happened({ trigger }: Playbook, { spoken, episode }: Started, words: Explainer): string {
  const { score } = spoken
  const day = episode.slice(0, 10)
  if ('status-entered' in trigger) return `became ${trigger['status-entered']} on ${day}`
  if ('score-crossed' in trigger) return `the score reached ${score.score} on ${day}`
  if ('score-fallen' in trigger) return `the score fell to ${score.score}, qualified since ${day}`
  if ('people-active' in trigger) return `${score.facts.activeUsers} people are active`
  const ids =
    'limit-reached' in trigger
      ? [trigger['limit-reached']]
      : spoken.model.signals.flatMap((s) =>
          'action' in s && s.action === trigger['action-first'] ? [s.id] : [],
        )
  const part = score.contributions.find(({ id }) => ids.includes(id))
  return part ? words.behaviour(part) : 'something was done for the first time'
}
