import { createHash } from 'node:crypto'
import { canonicalJson } from '../../src/core/canonical-json.ts'
import { ConfigError } from '../../src/core/errors.ts'
import type { CrmMapping } from '../../src/core/mapping/crm-mapping.ts'
import type { Crm, ProvisionPlan } from '../../src/core/ports/crm.ts'
import { crmNeeds } from '../../src/core/sync/crm-needs.ts'
import { groupedDrift } from '../../src/core/sync/grouped-drift.ts'
import type { Db } from '../../src/infra/postgres/database.ts'
import type { JobContext } from '../context.ts'

/**
 * Creates our group and properties, once for each change of the mapping.
 * @throws {ConfigError} when there is drift, or no room for them.
 */
export async function provisionOnce(
  { db, logger }: Pick<JobContext, 'db' | 'logger'>,
  crm: Crm,
  mapping: CrmMapping,
  signal: AbortSignal,
): Promise<void> {
  const plans = crmNeeds(mapping).objects.map(({ plan }) => plan)
  const row = await db
    .selectFrom('crm_provisioned')
    .select('plan_hash')
    .where('crm', '=', crm.name)
    .executeTakeFirst()
  if (row?.plan_hash === hashOf(plans)) return
  for (const plan of plans) {
    const { drift, findings } = await crm.provision(plan, signal)
    for (const { level, what } of findings) {
      if (level !== 'ok') logger.warn({ crm: crm.name }, what)
    }
    if (drift.length === 0) continue
    const lines = groupedDrift(drift).map(
      ({ properties, expected, found, mend }) =>
        `${properties.join(', ')}: expected ${expected}, found ${found}; ${mend}`,
    )
    throw new ConfigError(
      `${crm.name} has ${plan.object} properties that are not as ${crm.name}.yaml declares them:\n${lines.join('\n')}`,
    )
  }
  await noteProvisioned(db, crm.name, plans)
}

/** Notes that all of this is there, so that it is not looked at again until the mapping changes. */
export async function noteProvisioned(
  db: Db,
  crm: string,
  plans: readonly ProvisionPlan[],
): Promise<void> {
  const plan_hash = hashOf(plans)
  await db
    .insertInto('crm_provisioned')
    .values({ crm, plan_hash })
    .onConflict((c) => c.column('crm').doUpdateSet({ plan_hash }))
    .execute()
}

function hashOf(plans: readonly ProvisionPlan[]): string {
  return createHash('sha256').update(canonicalJson(plans)).digest('hex')
}
