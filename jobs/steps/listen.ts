import { ConfigError } from '../../src/core/errors.ts'
import type { CrmMapping } from '../../src/core/mapping/crm-mapping.ts'
import type { CrmTeller } from '../../src/core/ports/crm-webhook.ts'
import { crmSetup } from '../../src/core/sync/crm-setup.ts'
import { readEffective } from '../../src/infra/mappings/published.ts'
import { openDeliveries } from '../../src/infra/postgres/crm-delivery-store.ts'
import { staleReads } from '../../src/infra/postgres/crm-read-store.ts'
import type { Db } from '../../src/infra/postgres/database.ts'
import type { ConnectedCrm, JobContext, StepHandler } from '../context.ts'
import { hasDuePoll, pollChanges } from './poll-changes.ts'
import { askedOf, readStale } from './read-fields.ts'
import { seeAccount } from './right-account.ts'
import { takeDeliveries } from './take-deliveries.ts'

/**
 * Hears what changed in one CRM, by webhook, on its stream and by asking, and reads again what is said to have changed. It
 * has a queue of its own: a long write must not keep what sales just said from the scores.
 */
export const listen: StepHandler = async (context, name, _params, signal, run) => {
  const connected = context.crms.get(name)
  if (!connected?.connect) {
    throw new ConfigError(
      `${name} is not connected; set ${connected?.variables ?? 'its variables'}`,
    )
  }
  const { set } = await readEffective(context.db)
  const mapping = set.crms.get(name)
  // Before its first write there is neither our key on a record nor a record that we know.
  if (!mapping || !(await isProvisioned(context.db, name))) return {}
  const crm = connected.connect(crmSetup(mapping))
  await seeAccount(context.db, crm, signal)
  const teller = tellerOf(connected)
  if (teller) await takeDeliveries({ context, crm, teller, mapping, signal, run })
  const problems: (ConfigError | null)[] = []
  for (let more = true; more; ) {
    // What was told is read first: a pass through many changes takes minutes.
    await readStale(context, crm, mapping, signal, run)
    more = await pollChanges(context, crm, mapping, signal, run).catch((error: unknown) => {
      if (!(error instanceof ConfigError)) throw error
      problems.push(error)
      return false
    })
    signal.throwIfAborted()
  }
  problems.push(await readStale(context, crm, mapping, signal, run))
  // Last: an object that cannot be read keeps nobody from hearing of the others.
  const problem = problems.find((one) => one !== null)
  if (problem) throw problem
  return {}
}

/** True when a CRM has told something, or is due to be asked. */
export async function hasToListen(
  { db, clock, crms }: Pick<JobContext, 'db' | 'clock' | 'crms'>,
  name: string,
  mapping: CrmMapping,
): Promise<boolean> {
  if (!(await isProvisioned(db, name))) return false
  if (tellerOf(crms.get(name)) && (await openDeliveries(db, name, 1)).length > 0) return true
  for (const { object } of askedOf(mapping)) {
    if ((await staleReads(db, { crm: name, object, limit: 1 })).length > 0) return true
  }
  return hasDuePoll(db, name, mapping, clock())
}

/** A CRM tells by webhook or on a stream. */
function tellerOf(connected: ConnectedCrm | undefined): CrmTeller | undefined {
  return connected?.webhook ?? connected?.stream
}

/** True once Ripen's properties are in a CRM. */
export async function isProvisioned(db: Db, crm: string): Promise<boolean> {
  const row = await db
    .selectFrom('crm_provisioned')
    .select('crm')
    .where('crm', '=', crm)
    .executeTakeFirst()
  return row !== undefined
}
