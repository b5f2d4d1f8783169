import { createHash } from 'node:crypto'
import { canonicalJson } from '../../src/core/canonical-json.ts'
import { ConfigError } from '../../src/core/errors.ts'
import type { CrmMapping } from '../../src/core/mapping/crm-mapping.ts'
import type { Crm, CrmObject, PropertyDrift, ProvisionPlan } from '../../src/core/ports/crm.ts'
import type { Finding } from '../../src/core/ports/crm-check.ts'
import { crmNeeds } from '../../src/core/sync/crm-needs.ts'
import { groupedDrift } from '../../src/core/sync/grouped-drift.ts'
import {
  readPlanState,
  retryRefused,
  storePlanState,
} from '../../src/infra/postgres/crm-plan-store.ts'
import type { Db } from '../../src/infra/postgres/database.ts'
import type { JobContext, RunNotes } from '../context.ts'

/**
 * Creates our group and properties: once for each change of the mapping, and again while the account is
 * known to be otherwise than the mapping needs it. Records that were refused meanwhile get another try.
 * @throws {ConfigError} when there is drift, or no room for them.
 */
export async function provisionOnce(
  { db, logger }: Pick<JobContext, 'db' | 'logger'>,
  crm: Crm,
  mapping: CrmMapping,
  signal: AbortSignal,
  run: RunNotes,
): Promise<void> {
  const plans = crmNeeds(mapping).objects.map(({ plan }) => plan)
  const state = await readPlanState(db, crm.name)
  const isSame = state?.plans === hashOf(plans)
  if (isSame && state.watched.size === 0) return
  const rules = new Map<string, string>()
  for (const plan of plans) {
    const { drift, findings } = await crm.provision(plan, signal)
    for (const { level, what } of findings) {
      if (level !== 'ok') logger.warn({ crm: crm.name }, what)
    }
    noteFindings(run, plan.object, findings)
    rules.set(plan.object, rulesIn(findings))
    if (drift.length === 0) continue
    // Remembered: whoever comes next compares again, until it has ended.
    if (state) await storePlanState(db, crm.name, { ...state, plans: null })
    throw driftError(crm.name, plan.object, drift)
  }
  if (!isSame) return noteProvisioned(db, crm.name, plans)
  for (const [object, before] of state.watched) {
    if (rules.get(object) !== before) await retryRefused(db, crm.name, object as CrmObject)
  }
  const left = [...state.watched].filter(([object, before]) => rules.get(object) === before)
  await storePlanState(db, crm.name, { ...state, watched: new Map(left) })
}

/**
 * Notes that all of this is there, so that it is not looked at again until the mapping changes or records
 * are refused for it.
 */
export async function noteProvisioned(
  db: Db,
  crm: string,
  plans: readonly ProvisionPlan[],
): Promise<void> {
  await retryRefused(db, crm, null)
  await storePlanState(db, crm, { plans: hashOf(plans), watched: new Map() })
}

/** What a person should know, for whoever looks at the run. */
export function noteFindings(run: RunNotes, object: CrmObject, findings: readonly Finding[]): void {
  for (const [index, { level, what, mend }] of findings.entries()) {
    if (level === 'ok') continue
    const reason = mend === null ? what : `${what}; ${mend}`
    run.note({ ref: `${object} ${index}`, outcome: 'finding', reason, correlationId: null })
  }
}

/** Names the rules of the account that stand in the way of values; empty without any. */
export function rulesIn(findings: readonly Finding[]): string {
  const rules = findings.filter(({ about }) => about === 'rules').map(({ what }) => what)
  return rules.length > 0 ? hashOf(rules) : ''
}

export function driftError(
  crm: string,
  object: CrmObject,
  drift: readonly PropertyDrift[],
): ConfigError {
  const lines = groupedDrift(drift).map(
    ({ properties, expected, found, mend }) =>
      `${properties.join(', ')}: expected ${expected}, found ${found}; ${mend}`,
  )
  return new ConfigError(
    `${crm} has ${object} properties that are not as ${crm}.yaml declares them:\n${lines.join('\n')}`,
  )
}

function hashOf(what: unknown): string {
  return createHash('sha256').update(canonicalJson(what)).digest('hex')
}
