import type { CrmObject } from '../../../src/core/ports/crm.ts'

/** The objects that hold people and companies. */
export type RecordObject = 'Lead' | 'Contact' | 'Account'

/** Where the records of one of our objects may lie, best first. */
export const OBJECTS: Readonly<Record<CrmObject, readonly RecordObject[]>> = {
  contact: ['Contact', 'Lead'],
  company: ['Account'],
}

/** What a new record of one of our objects is. */
export function createdAs(
  object: CrmObject,
  { createAs }: { readonly createAs: 'lead' | 'contact' },
): RecordObject {
  if (object === 'company') return 'Account'
  return createAs === 'lead' ? 'Lead' : 'Contact'
}

/** The first three characters of an id tell what it is of. */
const PREFIXES: Readonly<Record<string, RecordObject>> = {
  '001': 'Account',
  '003': 'Contact',
  '00Q': 'Lead',
}

/** The object that an id is of; null when it is of none of these. */
export function objectOf(id: string): RecordObject | null {
  return isId(id) ? (PREFIXES[id.slice(0, 3)] ?? null) : null
}

/** 15 characters, or 18 with a check of upper and lower case. */
export function isId(text: string): boolean {
  return /^[a-zA-Z0-9]{15}([A-Z0-5]{3})?$/.test(text)
}

/** True for a queue or group, which owns leads and tasks beside users. */
export const isGroupId = (id: string): boolean => id.startsWith('00G')

/** Ids of one object among ids of several. */
export function idsOf(object: RecordObject, ids: readonly string[]): string[] {
  return [...new Set(ids.filter((id) => objectOf(id) === object))]
}
