import { createHubspotWebhook } from '../../connectors/crms/hubspot/hubspot-webhook.ts'
import { pollChanges } from '../../jobs/steps/poll-changes.ts'
import { readFields, readStale } from '../../jobs/steps/read-fields.ts'
import { takeDeliveries } from '../../jobs/steps/take-deliveries.ts'
import type { HubspotSandbox } from '../../sandbox/hubspot/hubspot-sandbox.ts'
import type { CrmMapping } from '../../src/core/mapping/crm-mapping.ts'
import { parseMappingSet } from '../../src/core/mapping/mapping-set.ts'
import type { Crm } from '../../src/core/ports/crm.ts'
import type { Told } from '../../src/core/scoring/dated-traits.ts'
import { storeDelivery } from '../../src/infra/postgres/crm-delivery-store.ts'
import { type Database, openDatabase } from '../../src/infra/postgres/database.ts'
import { closeAccounts, openAccount } from '../contract/hubspot-subject.ts'
import { createState, type TestState } from './state.ts'
import { TRAIT_FILES } from './traits-files.ts'

/** The mapping of HubSpot, with some texts of it replaced. */
export function hubspotMapping(...edits: readonly (readonly [string, string])[]): CrmMapping {
  let text = TRAIT_FILES['hubspot.yaml'] ?? ''
  for (const [from, to] of edits) {
    if (!text.includes(from)) throw new Error(`hubspot.yaml does not hold ${from}`)
    text = text.replace(from, to)
  }
  const mapping = parseMappingSet({ ...TRAIT_FILES, 'hubspot.yaml': text }).crms.get('hubspot')
  if (!mapping) throw new Error('there is no mapping')
  return mapping
}

/** A database with people and accounts in it, and a HubSpot account. */
export interface TraitsWorld {
  readonly state: TestState
  readonly database: Database
  readonly sandbox: HubspotSandbox
  readonly crm: Crm
  /** What the jobs take for now. */
  now: Date
  person(id: string, given?: GivenPerson): Promise<void>
  account(id: string, domain: string): Promise<void>
  /** Notes that a person or account is this record of the CRM. */
  link(ref: string, object: 'contact' | 'company', crmId: string): Promise<void>
  /** The same for many people at once. */
  linkNewcomers(refs: readonly string[], crmIds: readonly string[]): Promise<void>
  score(subject: string, model: string, score: number): Promise<void>
  /** Reads what is due; what was counted. */
  read(mapping?: CrmMapping): Promise<Readonly<Record<string, number>>>
  /** Asks what changed, and reads what is said to have; what was counted. */
  poll(mapping?: CrmMapping): Promise<Readonly<Record<string, number>>>
  /** Takes webhooks with these bodies, and reads what they tell of; what was counted. */
  hear(bodies: readonly string[], mapping?: CrmMapping): Promise<Readonly<Record<string, number>>>
  /** The same world, asking another way. */
  with(crm: Crm): Pick<TraitsWorld, 'hear'>
  /** Whom is to be scored; they are no more after this. */
  touched(): Promise<string[]>
}

interface GivenPerson {
  readonly account?: string
  readonly nodes?: readonly string[]
  readonly told?: Told
}

function recordOf(ref: string, object: 'contact' | 'company', crmId: string) {
  const texts = { lookup: '{}', desired: '{}', desired_on_create: '{}', written: '{}' }
  const state = 'in-sync' as const
  return { ref, crm: 'hubspot', object, crm_id: crmId, may_create: false, state, ...texts }
}

const open: TraitsWorld[] = []

/** Notes that only count. */
function tally() {
  const counts: Record<string, number> = {}
  const count = (name: string, n = 1) => {
    counts[name] = (counts[name] ?? 0) + n
  }
  return { counts, run: { note: () => {}, count } }
}

/** @param account an open account of HubSpot to share; else a new one. */
export async function openTraitsWorld(
  now: Date,
  account?: Pick<TraitsWorld, 'sandbox' | 'crm'>,
): Promise<TraitsWorld> {
  const state = await createState()
  const database = await openDatabase(state.databaseUrl ?? '')
  const { db } = database
  const { sandbox, crm } = account ?? (await openAccount())
  const { signal } = new AbortController()
  const clock = () => world.now
  const hear = async (
    crm: Crm,
    bodies: readonly string[],
    mapping: CrmMapping = hubspotMapping(),
  ) => {
    const { run, counts } = tally()
    for (const body of bodies) await storeDelivery(db, crm.name, body)
    const teller = createHubspotWebhook('not verified here')
    await takeDeliveries({ context: { db, clock }, crm, teller, mapping, signal, run })
    const problem = await readStale({ db, clock }, crm, mapping, signal, run)
    if (problem) throw problem
    return counts
  }
  const world: TraitsWorld = {
    ...{ state, database, sandbox, crm, now },
    async person(id, { account, nodes = [], told = {} } = {}) {
      const told_ = JSON.stringify(told)
      const values = { id, email_kind: 'business', account_id: account ?? null, told: told_ }
      await db.insertInto('person').values(values).execute()
      for (const node of nodes) {
        await db.insertInto('identity_node').values({ node, person_id: id }).execute()
      }
    },
    async account(id, domain) {
      const values = { id, key: `domain:${domain}`, domain, name: domain }
      await db.insertInto('account').values(values).execute()
    },
    async linkNewcomers(refs, crmIds) {
      const newcomers = refs.map((id) => ({ id, email_kind: 'business', told: '{}' }))
      await db.insertInto('person').values(newcomers).execute()
      const rows = refs.map((ref, index) => recordOf(ref, 'contact', crmIds[index] ?? ''))
      await db.insertInto('crm_record').values(rows).execute()
    },
    async link(ref, object, crmId) {
      await db
        .insertInto('crm_record')
        .values(recordOf(ref, object, crmId))
        .execute()
    },
    async score(subject, model, score) {
      const times = { status_since: world.now, as_of: world.now }
      const texts = { grade: 'B', usage_status: 'qualified', sales_status: 'none', trend: 'steady' }
      const lists = { contributions: '[]', changed: '[]', missing: '[]' }
      const parts = { ...lists, facts: '{}', rose_last: true }
      const kind = model === 'accounts' ? ('account' as const) : ('person' as const)
      const id = { subject_id: subject, subject: kind, model, model_version: 1 }
      await db
        .insertInto('score')
        .values({ ...id, score, change: 0, ...times, ...texts, ...parts })
        .execute()
    },
    async read(mapping = hubspotMapping()) {
      const { run, counts } = tally()
      const problem = await readFields({ db, clock }, crm, mapping, signal, run)
      if (problem) throw problem
      return counts
    },
    async poll(mapping = hubspotMapping()) {
      const { run, counts } = tally()
      while (await pollChanges({ db, clock }, crm, mapping, signal, run));
      const problem = await readStale({ db, clock }, crm, mapping, signal, run)
      if (problem) throw problem
      return counts
    },
    with: (other) => ({ hear: (bodies, mapping) => hear(other, bodies, mapping) }),
    hear: (bodies, mapping) => hear(crm, bodies, mapping),
    async touched() {
      const rows = await db.deleteFrom('touched').returning(['step', 'subject']).execute()
      return [...new Set(rows.map((row) => `${row.step} ${row.subject}`))].sort()
    },
  }
  open.push(world)
  return world
}

export async function closeTraitsWorlds(): Promise<void> {
  for (const { database, state } of open.splice(0)) {
    await database.close()
    await state.close()
  }
  await closeAccounts()
}
