import { readPublished } from '../infra/mappings/published.ts'
import type { Db } from '../infra/postgres/database.ts'
import { readRefusals } from '../infra/postgres/refusal-store.ts'

/** The joins between ids that are not made, for `ripen identity`. */
export interface RefusedJoins {
  /** Ids that join nobody: seen with too many others, or declared so. */
  readonly shared: readonly {
    readonly id: string
    readonly identities: number
    readonly why: string
    readonly since: string
  }[]
  /** Joins left out, because they would make one person of two who are not the same. */
  readonly splits: readonly {
    readonly a: string
    readonly b: string
    readonly over: string
    readonly since: string
  }[]
  /** The pairs that identity.yaml keeps apart. */
  readonly notTheSame: readonly (readonly [string, string])[]
}

export async function readRefusedJoins(db: Db): Promise<RefusedJoins> {
  const refusals = await readRefusals(db)
  const { set } = await readPublished(db)
  const shared: RefusedJoins['shared'][number][] = []
  const splits: RefusedJoins['splits'][number][] = []
  for (const { a, b, kind, identities, since } of refusals) {
    if (b === '') shared.push({ id: a, identities, why: kind, since: since.toISOString() })
    else splits.push({ a, b, over: kind, since: since.toISOString() })
  }
  return { shared, splits, notTheSame: set.identity['not-the-same'] }
}
