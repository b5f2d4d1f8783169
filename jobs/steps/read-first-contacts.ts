import type { CrmMapping } from '../../src/core/mapping/crm-mapping.ts'
import type { MappingSet } from '../../src/core/mapping/mapping-set.ts'
import type { CrmEngagement } from '../../src/core/ports/crm.ts'
import type { Db } from '../../src/infra/postgres/database.ts'
import {
  contactsOfAccounts,
  type FirstContact,
  storeFirstContacts,
} from '../../src/infra/postgres/first-contact-store.ts'
import {
  type DueQualified,
  dueEngagementLooks,
  noteLooks,
} from '../../src/infra/postgres/look-store.ts'
import { noteContacts } from '../../src/infra/postgres/task-store.ts'
import { aboutOf, dueBefore, type ReadScope } from './read-scope.ts'

/** Records whose associations are read in one call. */
const SLICE = 1_000
/** Most records in one run. */
const MOST = 20_000

/**
 * Looks when sales spoke first to those who were qualified, or have had a task, of late: the earliest call, e-mail or meeting
 * since then that did not come from the customer. Whoever speaks to one of an account's people has spoken to
 * the account.
 */
export async function readFirstContacts(scope: ReadScope): Promise<void> {
  const { context, crm, set, mapping } = scope
  const now = context.clock()
  const due = await dueContacts(context.db, crm.name, set, mapping, now, MOST)
  for (let at = 0; at < due.length; at += SLICE) {
    await readSome(scope, due.slice(at, at + SLICE), now)
  }
  // Before the next tasks are made: what waits is not made where sales has called.
  if (due.length > 0) await noteContacts(context.db, crm.name)
}

/** Who was qualified of late and is due to be looked at; nobody without the rules for it. */
export async function dueContacts(
  db: Db,
  crm: string,
  set: MappingSet,
  mapping: CrmMapping,
  now: Date,
  limit: number,
): Promise<readonly DueQualified[]> {
  const rules = mapping['first-contact']
  if (!rules) return []
  const { contact, company } = mapping.objects
  const models = [...(contact?.model ?? []), ...(company?.model ?? [])].filter((model) =>
    set.models.has(model),
  )
  const qualifiedSince = new Date(now.getTime() - rules.within)
  return dueEngagementLooks(db, {
    ...{ crm, models, qualifiedSince, limit },
    before: dueBefore(mapping, now),
  })
}

async function readSome(scope: ReadScope, due: readonly DueQualified[], now: Date): Promise<void> {
  const { context, crm, mapping, signal, run } = scope
  const kinds = mapping['first-contact']?.kinds ?? []
  const accounts = due.flatMap(({ ref, object }) => (object === 'company' ? [ref] : []))
  const people = await contactsOfAccounts(context.db, crm.name, accounts)
  const about = aboutOf(due)
  const contactIds = [...new Set([...about.contactIds, ...people.map(({ crmId }) => crmId)])]
  const since = new Date(Math.min(...due.map(({ qualifiedAt }) => qualifiedAt.getTime())))
  const found = await crm.engagementsOf({ ...about, contactIds }, { kinds, since }, signal)
  const contactsOf = new Map<string, Set<string>>()
  for (const { account, crmId } of people) {
    contactsOf.set(account, (contactsOf.get(account) ?? new Set()).add(crmId))
  }
  const first = firstContacts(due, found, contactsOf, now)
  const news = await context.db.transaction().execute(async (tx) => {
    const stored = await storeFirstContacts(tx, crm.name, first, now)
    await noteLooks(tx, crm.name, 'engagements', due, now)
    return stored
  })
  run.count('firstContacts', news)
}

function firstContacts(
  due: readonly DueQualified[],
  found: readonly CrmEngagement[],
  contactsOf: ReadonlyMap<string, ReadonlySet<string>>,
  now: Date,
): FirstContact[] {
  // What is planned for later, such as a meeting, has not taken place.
  const took = found
    .filter(({ incoming, at }) => !incoming && Date.parse(at) <= now.getTime())
    .sort((a, b) => Date.parse(a.at) - Date.parse(b.at))
  const byEnd = new Map<string, CrmEngagement[]>()
  for (const one of took) {
    const ends = [
      ...one.contactIds.map((id) => `contact ${id}`),
      ...one.companyIds.map((id) => `company ${id}`),
    ]
    for (const end of ends) {
      const known = byEnd.get(end)
      if (known) known.push(one)
      else byEnd.set(end, [one])
    }
  }
  return due.flatMap(({ ref, object, crmId, qualifiedAt }) => {
    const ends = [`${object} ${crmId}`, ...[...(contactsOf.get(ref) ?? [])].map(contactEnd)]
    const first = ends
      .flatMap(
        (end) => byEnd.get(end)?.find(({ at }) => Date.parse(at) >= qualifiedAt.getTime()) ?? [],
      )
      .sort((a, b) => Date.parse(a.at) - Date.parse(b.at))[0]
    if (!first) return []
    const { at, kind, ownerId, id: engagementId } = first
    return [{ ref, qualifiedAt, at, kind, ownerId, engagementId }]
  })
}

const contactEnd = (id: string): string => `contact ${id}`
