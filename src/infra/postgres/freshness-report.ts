import { added, NOTHING, quantileOf, type Spread, totalOf } from '../../core/freshness/bounds.ts'
import { type Objective, type Standing, standingOf } from '../../core/freshness/objective.ts'
import type { Db } from './database.ts'
import { type Counted, type OpenDue, readCounted, readOpenDue } from './freshness-store.ts'

/** How long it took to one kind of record, over the hours of the objective. Times are bounds that so many did not pass. */
export interface Taken extends Omit<Counted, 'spread'> {
  readonly n: number
  readonly medianSeconds: number | null
  readonly p95Seconds: number | null
  readonly p99Seconds: number | null
}

/** How fresh one CRM is. */
export interface CrmFreshness {
  /** Of who is qualified: their records and tasks, from the arrival on. */
  readonly standing: Standing
  readonly taken: readonly Taken[]
  /** What is not in the CRM yet, the oldest of each kind named. */
  readonly open: readonly OpenDue[]
}

/**
 * The freshness of every CRM that something was counted of or is due in, by name.
 * @param among those that are connected: where nobody has connected it, nothing is late.
 */
export async function readFreshness(
  db: Db,
  objective: Objective,
  among: ReadonlySet<string>,
): Promise<Readonly<Record<string, CrmFreshness>>> {
  const counted = await readCounted(db, objective.overHours)
  const open = await readOpenDue(db, objective.withinSeconds)
  const names = new Set([...counted, ...open].map(({ crm }) => crm))
  return Object.fromEntries(
    [...names]
      .filter((name) => among.has(name))
      .sort()
      .map((name) => {
        const own = counted.filter(({ crm }) => crm === name)
        const due = open.filter(({ crm }) => crm === name)
        return [
          name,
          { standing: standing(objective, own, due), taken: own.map(takenOf), open: due },
        ]
      }),
  )
}

function standing(
  objective: Objective,
  counted: readonly Counted[],
  open: readonly OpenDue[],
): Standing {
  const judged = counted.filter(({ qualified, since }) => qualified && since === 'arrival')
  const spread = judged.map((one) => one.spread).reduce(added, NOTHING)
  const late = open.reduce((sum, due) => sum + (due.qualified ? due.late : 0), 0)
  return standingOf(objective, spread, late)
}

function takenOf({ spread, ...kind }: Counted): Taken {
  return {
    ...kind,
    n: totalOf(spread),
    medianSeconds: bound(spread, 0.5),
    p95Seconds: bound(spread, 0.95),
    p99Seconds: bound(spread, 0.99),
  }
}

/** JSON has no infinity. */
const bound = (spread: Spread, share: number): number | null => {
  const found = quantileOf(spread, share)
  return found === null || !Number.isFinite(found) ? null : found
}
