import { isSyncFailure, type SyncFailure } from '../../src/core/errors.ts'
import { provisionPlan } from '../../src/core/sync/provision-plan.ts'
import {
  readPlanState,
  retryRefused,
  storePlanState,
} from '../../src/infra/postgres/crm-plan-store.ts'
import { driftError, noteFindings, rulesIn } from './provision-once.ts'
import type { GivenScope } from './reconcile-scope.ts'

/** Tells records that are wrong from an account that is not as the mapping needs it any more. */
export interface PlanWatch {
  /**
   * Several records were refused alike: looks at the account, once for each such reason.
   * @returns false when nothing more is to be sent: `problem` says why.
   */
  refusedAlike(reason: string): Promise<boolean>
  readonly problem: SyncFailure | null
}

/** Watches over one pass. */
export function createPlanWatch(scope: GivenScope): PlanWatch {
  let problem: SyncFailure | null = null
  const looks = new Map<string, Promise<void>>()
  const look = async () => {
    try {
      await compare(scope)
    } catch (error) {
      if (!isSyncFailure(error)) throw error
      problem ??= error
    }
  }
  return {
    async refusedAlike(reason) {
      const known = looks.get(reason)
      const looking = known ?? look()
      if (!known) looks.set(reason, looking)
      await looking
      return problem === null
    },
    get problem() {
      return problem
    },
  }
}

/** @throws {ConfigError} when the account has drifted, or lacks room for what is missing. */
async function compare({ context, crm, object, rules, signal, run }: GivenScope): Promise<void> {
  const { db } = context
  const { drift, findings, created, optionsAdded } = await crm.provision(
    provisionPlan(object, rules),
    signal,
  )
  noteFindings(run, object, findings)
  const state = await readPlanState(db, crm.name)
  if (drift.length > 0) {
    // Whoever comes next compares again before anything is sent.
    if (state) await storePlanState(db, crm.name, { ...state, plans: null })
    throw driftError(crm.name, object, drift)
  }
  if (created.length + optionsAdded.length > 0) return retryRefused(db, crm.name, object)
  const rulesNow = rulesIn(findings)
  if (!state || rulesNow === '') return
  const watched = new Map(state.watched).set(object, rulesNow)
  await storePlanState(db, crm.name, { ...state, watched })
}
