import type { CrmMapping } from '../../src/core/mapping/crm-mapping.ts'
import type { MappingSet } from '../../src/core/mapping/mapping-set.ts'
import { goneReason } from '../../src/core/playbook/task-follow.ts'
import type { Db } from '../../src/infra/postgres/database.ts'
import { readSalesStates } from '../../src/infra/postgres/sales-store.ts'
import { speakers } from './speakers.ts'

/** What a task is about: an account, and when it entered `qualified`. */
export interface TaskEpisode {
  readonly key: string
  readonly accountRef: string
  readonly qualifiedAt: Date | null
}

const NOTHING_SAID = { status: 'none', since: null } as const

/** Why the reasons of some tasks are gone, by key; tasks whose reason stands are absent. */
export async function goneReasons(
  db: Db,
  set: MappingSet,
  { objects: { company } }: CrmMapping,
  tasks: readonly TaskEpisode[],
): Promise<ReadonlyMap<string, string>> {
  const refs = [...new Set(tasks.map((task) => task.accountRef))]
  // Without a model of accounts nobody says whether an account is qualified.
  if (refs.length === 0 || !company) return new Map()
  const spoken = await speakers(db, set, company, refs)
  const scores = new Map(spoken.map(({ score }) => [score.subjectId, score]))
  const sales = await readSalesStates(db, refs)
  const gone = new Map<string, string>()
  for (const { key, accountRef, qualifiedAt } of tasks) {
    if (qualifiedAt === null) continue
    const score = scores.get(accountRef)
    const reason = goneReason(qualifiedAt.getTime(), {
      usageStatus: score?.usageStatus ?? null,
      qualifiedAt: score?.qualifiedAt ? Date.parse(score.qualifiedAt) : null,
      sales: sales.get(accountRef) ?? NOTHING_SAID,
    })
    if (reason !== null) gone.set(key, reason)
  }
  return gone
}
