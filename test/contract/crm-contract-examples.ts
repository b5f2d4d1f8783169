import type { Crm, CrmLookup, CrmWrite } from '../../src/core/ports/crm.ts'
import { type CrmSubject, noSignal } from './crm-contract-subject.ts'

/** A contact of ours that does not exist yet. */
export function newContact(
  { names, newRecord }: CrmSubject,
  key: string,
  more: CrmWrite['properties'] = {},
): CrmWrite {
  const properties = {
    ...newRecord?.contact,
    [names.email]: `${key}@acme.example`,
    [names.score]: 70,
    ...more,
  }
  return { ref: key, key, crmId: null, properties }
}

/** How a contact is looked up. */
export function lookup(key: string, emails: readonly string[] = []): CrmLookup {
  return { ref: key, key, emails, domains: [] }
}

/** The one candidate's id. */
export async function findId(crm: Crm, key: string): Promise<string> {
  const [candidates] = await crm.find('contact', [lookup(key)], noSignal())
  const [first, ...others] = candidates ?? []
  if (!first || others.length > 0) throw new Error(`expected one record with key ${key}`)
  return first.crmId
}
