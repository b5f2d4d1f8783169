import type { CrmMapping, ObjectMapping } from '../../src/core/mapping/crm-mapping.ts'
import type { MappingSet } from '../../src/core/mapping/mapping-set.ts'
import type { Playbook } from '../../src/core/mapping/playbook.ts'
import {
  firstTimeOf,
  kindOfTrigger,
  standsNow,
  statusEpisode,
} from '../../src/core/playbook/triggers.ts'
import type { Tx } from '../../src/infra/postgres/database.ts'
import {
  beginLooking,
  type Candidate,
  crossedScore,
  enteredStatus,
  fallenScore,
  readStanding,
  recentlyActive,
  storeStanding,
} from '../../src/infra/postgres/playbook-store.ts'
import { type Spoken, speakers } from './speakers.ts'

/** Somebody for whom a playbook starts, if nothing keeps it from it. */
export interface Started {
  readonly spoken: Spoken
  /** Names the episode: ISO 8601 UTC. */
  readonly episode: string
  readonly evidenceAt: Date | null
}

/** The rules for the records of whom a playbook is about. */
export const rulesOf = (
  { objects }: CrmMapping,
  { subject }: Pick<Playbook, 'subject'>,
): ObjectMapping | undefined => (subject === 'account' ? objects.company : objects.contact)

/**
 * For whom a playbook starts by fresh behaviour.
 * @param among these alone; null for everybody.
 */
export async function startedBy(
  tx: Tx,
  set: MappingSet,
  playbook: Playbook,
  rules: ObjectMapping,
  now: Date,
  among: readonly string[] | null = null,
): Promise<readonly Started[]> {
  const since = new Date(now.getTime() - playbook.guards['evidence-within'])
  const look = { tx, set, playbook, rules, now, since, among }
  switch (kindOfTrigger(playbook.trigger)) {
    case 'history':
      return byHistory(look)
    case 'score':
      return byScore(look)
    case 'level':
      return byLevel(look)
  }
}

interface Look {
  readonly tx: Tx
  readonly set: MappingSet
  readonly playbook: Playbook
  readonly rules: ObjectMapping
  readonly now: Date
  /** Behaviour from here on is fresh. */
  readonly since: Date
  /** These alone; null for everybody. */
  readonly among: readonly string[] | null
}

async function byHistory(look: Look): Promise<readonly Started[]> {
  const { tx, set, rules, playbook } = look
  const candidates = await candidatesOf(look)
  const ids = [...new Set(candidates.map(({ subjectId }) => subjectId))]
  if (ids.length === 0) return []
  const spoken = new Map((await speakers(tx, set, rules, ids)).map((s) => [s.score.subjectId, s]))
  return candidates.flatMap((candidate) => {
    const speaker = spoken.get(candidate.subjectId)
    // Another model speaks for the subject, or it is over again.
    if (speaker?.model.id !== candidate.model) return []
    if (!standsNow(playbook.trigger, speaker.score)) return []
    const episode = episodeOf(playbook, speaker, candidate)
    return episode === null ? [] : [{ spoken: speaker, episode, evidenceAt: candidate.evidenceAt }]
  })
}

async function candidatesOf({
  tx,
  playbook,
  rules,
  since,
  among,
}: Look): Promise<readonly Candidate[]> {
  const { trigger } = playbook
  const models = rules.model
  if ('status-entered' in trigger) {
    return enteredStatus(tx, models, trigger['status-entered'], since, among)
  }
  if ('score-crossed' in trigger)
    return crossedScore(tx, models, trigger['score-crossed'], since, among)
  return 'score-fallen' in trigger
    ? fallenScore(tx, models, trigger['score-fallen'], since, among)
    : []
}

function episodeOf({ trigger }: Playbook, { score }: Spoken, { at }: Candidate): string | null {
  return 'status-entered' in trigger
    ? statusEpisode(trigger['status-entered'], score)
    : at.toISOString()
}

async function byScore({
  tx,
  set,
  playbook,
  rules,
  since,
  among,
}: Look): Promise<readonly Started[]> {
  const { trigger } = playbook
  if (!('action-first' in trigger)) return []
  const ids = await recentlyActive(tx, rules.model, since, among)
  const spoken = ids.length > 0 ? await speakers(tx, set, rules, ids) : []
  return spoken.flatMap((speaker) => {
    const first = firstTimeOf(trigger['action-first'], speaker.model, speaker.score)
    if (first === null || first < since.getTime()) return []
    const evidenceAt = new Date(first)
    return [{ spoken: speaker, episode: evidenceAt.toISOString(), evidenceAt }]
  })
}

/**
 * A playbook that looks for the first time notes for whom its reason holds, and starts nothing: when it began
 * for them nobody knows.
 */
async function byLevel({ tx, set, playbook, rules, now, since, among: only }: Look) {
  const of = { crm: playbook.crm, playbook: playbook.id }
  const isFirst = await beginLooking(tx, of, now)
  const before = await readStanding(tx, of)
  const among = isFirst
    ? null
    : [...new Set([...(only ?? before), ...(await recentlyActive(tx, rules.model, since, only))])]
  const spoken = among?.length === 0 ? [] : await speakers(tx, set, rules, among)
  const holds = spoken.filter(({ score }) => standsNow(playbook.trigger, score))
  const ids = new Set(holds.map(({ score }) => score.subjectId))
  const begun = holds.filter(({ score }) => !before.has(score.subjectId))
  const looked = among === null ? null : new Set(among)
  const ended = [...before].filter((id) => !ids.has(id) && (looked?.has(id) ?? true))
  const begunIds = begun.map(({ score }) => score.subjectId)
  await storeStanding(tx, of, begunIds, ended, now)
  if (isFirst) return []
  return begun.map((speaker) => ({
    spoken: speaker,
    episode: now.toISOString(),
    evidenceAt: speaker.score.evidenceAt === null ? null : new Date(speaker.score.evidenceAt),
  }))
}
