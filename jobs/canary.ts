import { CANARY_SOURCE, canaryEvent, canaryProperty } from '../src/core/canary/canary.ts'
import { ConfigError } from '../src/core/errors.ts'
import { crmSetup } from '../src/core/sync/crm-setup.ts'
import { isPublished, readEffective } from '../src/infra/mappings/published.ts'
import { beginBeat, noteSeen, unseenBeats } from '../src/infra/postgres/canary-store.ts'
import { withLock } from '../src/infra/postgres/lock.ts'
import { stageEvents } from '../src/infra/postgres/staging.ts'
import { requestTouched } from '../src/infra/postgres/work.ts'
import type { JobContext } from './context.ts'

/**
 * Lets the canary go when it is time, and looks whether it has come where it should: what it is to write is read back from
 * the CRM itself. One process of all does.
 * @throws {ConfigError} when the mapping leaves it no event to do, or no property to write.
 */
export async function tendCanary(context: JobContext, signal: AbortSignal): Promise<void> {
  if (context.canary === null || !(await isPublished(context.db))) return
  await withLock(context.pool, 'canary', async (lost) => {
    await letGo(context)
    await lookForIt(context, AbortSignal.any([signal, lost]))
  })
}

async function letGo(context: JobContext): Promise<void> {
  const { db, canary } = context
  if (canary === null) return
  const { set } = await readEffective(db)
  const event = canaryEvent(set.usage)
  if (event === null) throw new ConfigError(NO_EVENT)
  const at = new Date().toISOString()
  await db.transaction().execute(async (tx) => {
    let isDue = false
    for (const [crm, { objects }] of set.crms) {
      if (!context.crms.get(crm)?.connect || !objects.contact) continue
      if (canaryProperty(objects.contact) === null) throw new ConfigError(noProperty(crm))
      isDue = (await beginBeat(tx, crm, `canary ${at}`, canary.everyMs)) || isDue
    }
    if (!isDue) return
    const properties = Object.fromEntries(
      set.usage.email.map((place) => [place.replace(/^[a-z]+\./, ''), canary.email]),
    )
    // Scores count what happened before the instant that they are of.
    const occurredAt = new Date(context.clock().getTime() - 1_000).toISOString()
    await stageEvents(tx, CANARY_SOURCE, [
      JSON.stringify({ name: event, at: occurredAt, properties, token: at }),
    ])
    await requestTouched(tx, 'stage', CANARY_SOURCE)
  })
}

async function lookForIt({ db, crms }: JobContext, signal: AbortSignal): Promise<void> {
  const unseen = await unseenBeats(db)
  if (unseen.length === 0) return
  const { set } = await readEffective(db)
  for (const at of unseen) {
    const mapping = set.crms.get(at.crm)
    const contact = mapping?.objects.contact
    const property = contact ? canaryProperty(contact) : null
    const connect = crms.get(at.crm)?.connect
    if (!mapping || property === null || !connect) continue
    const crm = connect(crmSetup(mapping))
    const read = await crm.read('contact', [at.crmId], [property], signal)
    if (read.get(at.crmId)?.[property] === at.token) await noteSeen(db, at)
  }
}

const NO_EVENT =
  'the canary needs an event in usage.yaml that counts from any source and without where; unset RIPEN_CANARY_EMAIL if there is none'
const noProperty = (crm: string) =>
  `the canary needs a text property of contacts in ${crm}.yaml that is written at once, such as from: model`
