import type { CrmMapping } from '../../src/core/mapping/crm-mapping.ts'
import type { Owners } from '../../src/core/playbook/assign.ts'
import type { Crm } from '../../src/core/ports/crm.ts'
import type { Db } from '../../src/infra/postgres/database.ts'
import { readDealsOf } from '../../src/infra/postgres/deal-store.ts'

/** Where a task goes: the CRM's ids of now, and whose the records are. */
export interface TaskAddress {
  readonly companyId: string | null
  readonly contactIds: readonly string[]
  /** The newest open deal of the account; null where deals are not read. */
  readonly dealId: string | null
  readonly owners: Owners
}

/** Who a task is about, by our ids. */
export interface AboutTask {
  readonly accountRef: string
  readonly personRef: string | null
  readonly personRefs: readonly string[]
}

/** Fills in the CRM's ids; null while the CRM has no record that the task could be about. */
export async function addressTask(
  db: Db,
  crm: Crm,
  mapping: CrmMapping,
  about: AboutTask,
  signal: AbortSignal,
): Promise<TaskAddress | null> {
  // The account of now: the one that was planned for may have become another since.
  const { accountRef } = about
  const own = about.personRef === null ? [] : await heirsOf(db, [about.personRef])
  const personRefs = await heirsOf(db, about.personRefs)
  const rows = await db
    .selectFrom('crm_record')
    .select(['ref', 'object', 'crm_id', 'owner_id'])
    .where('crm', '=', crm.name)
    .where('ref', 'in', [accountRef, ...own, ...personRefs])
    .execute()
  const records = new Map(rows.map((row) => [row.ref, row]))
  const company = records.get(accountRef)
  const companyId = company?.object === 'company' ? company.crm_id : null
  const contactIds = personRefs.flatMap((ref) => records.get(ref)?.crm_id ?? [])
  const ownId = own.flatMap((ref) => records.get(ref)?.crm_id ?? [])[0]
  const isAboutPeople = (crm.tasksOnPeople === true || ownId !== undefined) && contactIds.length > 0
  if (companyId === null && !isAboutPeople) return null
  const deal = await openDeal(db, crm.name, mapping, accountRef)
  const account = companyId === null ? null : await ownerIn(crm, 'company', accountRef, signal)
  const first = personRefs[0]
  const ofPerson = companyId === null || own.length > 0
  const record =
    ofPerson && first !== undefined ? await ownerIn(crm, 'contact', first, signal) : account
  return {
    ...{ companyId, contactIds },
    dealId: deal?.id ?? null,
    // Where there is no company, the person's is the nearest.
    owners: { record, account: account ?? record, deal: deal?.ownerId ?? null },
  }
}

/** As the CRM has it now, and not when the record was seen last. */
async function ownerIn(
  crm: Crm,
  object: 'contact' | 'company',
  ref: string,
  signal: AbortSignal,
): Promise<string | null> {
  const lookup = { ref, key: ref, emails: [], domains: [] }
  const [found] = await crm.find(object, [lookup], signal)
  return found?.[0]?.ownerId ?? null
}

/** Who stands for these people now, each once. */
export async function heirsOf(db: Db, personIds: readonly string[]): Promise<readonly string[]> {
  if (personIds.length === 0) return []
  const rows = await db
    .selectFrom('person_alias')
    .select(['id', 'person_id'])
    .where('id', 'in', [...personIds])
    .execute()
  const heirs = new Map(rows.map((row) => [row.id, row.person_id]))
  return [...new Set(personIds.map((id) => heirs.get(id) ?? id))]
}

/** The newest open deal of the account; null where deals are not read. */
async function openDeal(db: Db, crm: string, { deals }: CrmMapping, account: string) {
  if (!deals) return null
  const all = await readDealsOf(db, crm, [account], deals.pipelines)
  return all.get(account)?.find(({ state }) => state === 'open') ?? null
}
