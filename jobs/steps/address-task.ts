import { sql } from 'kysely'
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

/**
 * Fills in the CRM's ids, for many tasks in few calls; null while the CRM has no record that the task could be about.
 * `addresses[i]` answers `about[i]`.
 */
export async function addressTasks(
  db: Db,
  crm: Crm,
  mapping: CrmMapping,
  about: readonly AboutTask[],
  signal: AbortSignal,
): Promise<readonly (TaskAddress | null)[]> {
  const places = await placesOf(db, crm, about)
  const there = places.filter((place) => place !== null)
  const accounts = there.flatMap(({ companyId, accountRef }) =>
    companyId === null ? [] : [accountRef],
  )
  const people = there.flatMap(({ personRef }) => personRef ?? [])
  const [companies, contacts, deals] = await Promise.all([
    ownersIn(crm, 'company', accounts, signal),
    ownersIn(crm, 'contact', people, signal),
    mapping.deals
      ? readDealsOf(
          db,
          crm.name,
          there.map(({ accountRef }) => accountRef),
          mapping.deals.pipelines,
        )
      : NO_DEALS,
  ])
  return places.map((place) => {
    if (place === null) return null
    const { companyId, contactIds, accountRef, personRef } = place
    const account = companies.get(accountRef) ?? null
    const record = personRef === null ? account : (contacts.get(personRef) ?? null)
    // The newest comes first.
    const deal = deals.get(accountRef)?.find(({ state }) => state === 'open') ?? null
    return {
      ...{ companyId, contactIds },
      dealId: deal?.id ?? null,
      // Where there is no company, the person's is the nearest.
      owners: { record, account: account ?? record, deal: deal?.ownerId ?? null },
    }
  })
}

const NO_DEALS: Awaited<ReturnType<typeof readDealsOf>> = new Map()

interface Place extends Pick<TaskAddress, 'companyId' | 'contactIds'> {
  readonly accountRef: string
  /** Whose owner is that of the record; null for the account's own. */
  readonly personRef: string | null
}

async function placesOf(
  db: Db,
  crm: Crm,
  about: readonly AboutTask[],
): Promise<readonly (Place | null)[]> {
  const named = about.flatMap(({ personRef, personRefs }) => [
    ...(personRef === null ? [] : [personRef]),
    ...personRefs,
  ])
  const heirs = await heirsById(db, named)
  const heirsOfAll = (ids: readonly string[]) => [...new Set(ids.map((id) => heirs.get(id) ?? id))]
  const refs = [...about.map(({ accountRef }) => accountRef), ...heirsOfAll(named)]
  const rows = await db
    .selectFrom('crm_record')
    .select(['ref', 'object', 'crm_id'])
    .where('crm', '=', crm.name)
    .where(sql<boolean>`ref = any(${[...new Set(refs)]}::text[])`)
    .execute()
  const records = new Map(rows.map((row) => [row.ref, row]))
  return about.map((one) => {
    // The account of now: the one that was planned for may have become another since.
    const { accountRef } = one
    const own = heirsOfAll(one.personRef === null ? [] : [one.personRef])
    const personRefs = heirsOfAll(one.personRefs)
    const company = records.get(accountRef)
    const companyId = company?.object === 'company' ? company.crm_id : null
    const contactIds = personRefs.flatMap((ref) => records.get(ref)?.crm_id ?? [])
    const ownId = own.flatMap((ref) => records.get(ref)?.crm_id ?? [])[0]
    const isAboutPeople =
      (crm.tasksOnPeople === true || ownId !== undefined) && contactIds.length > 0
    if (companyId === null && !isAboutPeople) return null
    const isOfPerson = companyId === null || own.length > 0
    return {
      ...{ companyId, contactIds, accountRef },
      personRef: isOfPerson ? (personRefs[0] ?? null) : null,
    }
  })
}

/** Owners by our id, as the CRM has them now, and not when the records were seen last. */
async function ownersIn(
  crm: Crm,
  object: 'contact' | 'company',
  refs: readonly string[],
  signal: AbortSignal,
): Promise<ReadonlyMap<string, string | null>> {
  const each = [...new Set(refs)]
  if (each.length === 0) return new Map()
  const lookups = each.map((ref) => ({ ref, key: ref, emails: [], domains: [] }))
  const found = await crm.find(object, lookups, signal)
  return new Map(each.map((ref, i) => [ref, found[i]?.[0]?.ownerId ?? null]))
}

/** Who stands for these people now, each once. */
export async function heirsOf(db: Db, personIds: readonly string[]): Promise<readonly string[]> {
  const heirs = await heirsById(db, personIds)
  return [...new Set(personIds.map((id) => heirs.get(id) ?? id))]
}

async function heirsById(
  db: Db,
  personIds: readonly string[],
): Promise<ReadonlyMap<string, string>> {
  if (personIds.length === 0) return new Map()
  const rows = await db
    .selectFrom('person_alias')
    .select(['id', 'person_id'])
    .where(sql<boolean>`id = any(${[...new Set(personIds)]}::text[])`)
    .execute()
  return new Map(rows.map((row) => [row.id, row.person_id]))
}
