import { canonicalJson } from '../../src/core/canonical-json.ts'
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

/** Which playbook is looked at, when, and for whom. */
export interface TriggerLook {
  readonly set: MappingSet
  readonly playbook: Playbook
  readonly rules: ObjectMapping
  readonly now: Date
  /** These subjects alone; null for all. */
  readonly among: readonly string[] | null
}

/** For whom a playbook starts by fresh behaviour. */
export async function startedBy(tx: Tx, asked: TriggerLook): Promise<readonly Started[]> {
  const { playbook, now, among } = asked
  const since = new Date(now.getTime() - playbook.guards['evidence-within'])
  const few = among && new Set(among)
  const look = { ...asked, tx, since, isLookedAt: (id: string) => few?.has(id) ?? true }
  switch (kindOfTrigger(playbook.trigger)) {
    case 'history':
      return byHistory(look)
    case 'score':
      return byScore(look)
    case 'level':
      return byLevel(look)
  }
}

interface Look extends TriggerLook {
  readonly tx: Tx
  /** Behaviour from here on is fresh. */
  readonly since: Date
  readonly isLookedAt: (id: string) => boolean
}

async function byHistory(look: Look): Promise<readonly Started[]> {
  const { tx, set, rules, playbook, isLookedAt } = look
  const all = await candidatesOf(look)
  const candidates = all.filter(({ subjectId }) => isLookedAt(subjectId))
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

async function candidatesOf({ tx, playbook, rules, since }: Look): Promise<readonly Candidate[]> {
  const { trigger } = playbook
  const models = rules.model
  if ('status-entered' in trigger) {
    return enteredStatus(tx, models, trigger['status-entered'], since)
  }
  if ('score-crossed' in trigger) return crossedScore(tx, models, trigger['score-crossed'], since)
  return 'score-fallen' in trigger ? fallenScore(tx, models, trigger['score-fallen'], since) : []
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
  isLookedAt,
}: Look): Promise<readonly Started[]> {
  const { trigger } = playbook
  if (!('action-first' in trigger)) return []
  const ids = (await recentlyActive(tx, rules.model, since)).filter(isLookedAt)
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
 * for them nobody knows. Later it may start, from the look at which it began, for as long as that is fresh.
 */
async function byLevel({ tx, set, playbook, rules, now, since, isLookedAt }: Look) {
  const of = { crm: playbook.crm, playbook: playbook.id }
  const isFirst = await beginLooking(tx, of, canonicalJson(playbook.trigger), now)
  const all = await readStanding(tx, of)
  const before = [...all.keys()].filter(isLookedAt)
  const recent = isFirst ? [] : await recentlyActive(tx, rules.model, since)
  const among = isFirst ? null : [...new Set([...before, ...recent.filter(isLookedAt)])]
  const spoken = among?.length === 0 ? [] : await speakers(tx, set, rules, among)
  const holds = spoken.filter(({ score }) => standsNow(playbook.trigger, score))
  const ids = new Set(holds.map(({ score }) => score.subjectId))
  const begun = [...ids].filter((id) => !all.has(id))
  const ended = before.filter((id) => !ids.has(id))
  await storeStanding(tx, of, { begun, ended, held: !isFirst }, now)
  if (isFirst) return []
  return holds.flatMap((speaker) => {
    const { subjectId, evidenceAt } = speaker.score
    const { since: began, held } = all.get(subjectId) ?? { since: now, held: true }
    if (!held || began < since) return []
    const evidence = evidenceAt === null ? null : new Date(evidenceAt)
    return [{ spoken: speaker, episode: began.toISOString(), evidenceAt: evidence }]
  })
}
