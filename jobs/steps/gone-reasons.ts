import type { CrmMapping } from '../../src/core/mapping/crm-mapping.ts'
import type { MappingSet } from '../../src/core/mapping/mapping-set.ts'
import { playbooksOf } from '../../src/core/playbook/playbooks-of.ts'
import { goneReason } from '../../src/core/playbook/task-follow.ts'
import { isAboutQualified, lapsed } from '../../src/core/playbook/triggers.ts'
import type { CrmObject } from '../../src/core/ports/crm.ts'
import type { Score } from '../../src/core/scoring/score.ts'
import type { Db } from '../../src/infra/postgres/database.ts'
import { readSalesStates } from '../../src/infra/postgres/sales-store.ts'
import { speakers } from './speakers.ts'

/** What a task is about: whom, by which playbook, and since when. */
export interface TaskEpisode {
  readonly key: string
  readonly crm: string
  readonly playbook: string
  readonly accountRef: string
  /** Null where it is about the account. */
  readonly personRef: string | null
  readonly qualifiedAt: Date | null
  /** When sales spoke to somebody of the account since; absent while nobody did. */
  readonly contactAt?: Date | null
}

const NOTHING_SAID = { status: 'none', since: null } as const

/** Why the reasons of some tasks are gone, by key; tasks whose reason stands are absent. */
export async function goneReasons(
  db: Db,
  set: Pick<MappingSet, 'crms' | 'models' | 'playbooks'>,
  mapping: CrmMapping,
  tasks: readonly TaskEpisode[],
): Promise<ReadonlyMap<string, string>> {
  const [crm] = tasks.map((task) => task.crm)
  if (crm === undefined) return new Map()
  const playbooks = new Map(playbooksOf(set, crm).map((one) => [one.id, one]))
  const scores = new Map([
    ...(await scoresOf(db, set, mapping, 'company', tasks)),
    ...(await scoresOf(db, set, mapping, 'contact', tasks)),
  ])
  const subjects = tasks.flatMap(({ accountRef, personRef }) =>
    [accountRef, personRef ?? []].flat(),
  )
  const sales = await readSalesStates(db, [...new Set(subjects)])
  const gone = new Map<string, string>()
  for (const { key, playbook, accountRef, personRef, qualifiedAt, contactAt } of tasks) {
    const subject = personRef ?? accountRef
    const object = personRef === null ? 'company' : 'contact'
    // Without a model of them nobody says how they stand.
    if (qualifiedAt === null || !mapping.objects[object]) continue
    const score = scores.get(subject) ?? null
    const trigger = playbooks.get(playbook)?.trigger
    const isOfQualified = !trigger || isAboutQualified(trigger)
    const reason = goneReason(qualifiedAt.getTime(), {
      usageStatus: score?.usageStatus ?? null,
      qualifiedAt: score?.qualifiedAt ? Date.parse(score.qualifiedAt) : null,
      sales: sales.get(subject) ?? sales.get(accountRef) ?? NOTHING_SAID,
      contactAt: contactAt?.getTime() ?? null,
      noun: personRef === null ? 'account' : 'person',
      ...(isOfQualified ? {} : { lapsed: lapsed(trigger, score) }),
    })
    if (reason !== null) gone.set(key, reason)
  }
  return gone
}

async function scoresOf(
  db: Db,
  set: Pick<MappingSet, 'crms' | 'models' | 'playbooks'>,
  { objects }: CrmMapping,
  object: CrmObject,
  tasks: readonly TaskEpisode[],
): Promise<readonly [string, Score][]> {
  const rules = objects[object]
  const refs = tasks.flatMap(({ accountRef, personRef }) => {
    const ref = object === 'contact' ? personRef : personRef === null ? accountRef : null
    return ref ?? []
  })
  if (!rules || refs.length === 0) return []
  const spoken = await speakers(db, set, rules, [...new Set(refs)])
  return spoken.map(({ score }) => [score.subjectId, score])
}
