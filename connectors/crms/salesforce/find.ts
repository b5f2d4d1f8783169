import type { CrmFound, CrmLookup, CrmObject } from '../../../src/core/ports/crm.ts'
import { companyFields, companyIn } from './companies-of.ts'
import { describe } from './describe.ts'
import { findHeirs } from './lost-records.ts'
import { OBJECTS, type RecordObject } from './objects.ts'
import { idOf, literalBytes, queriesFor, type Row, runQueries, textOf } from './query.ts'
import type { Session } from './session.ts'
import { anyOf, containing, name, names, type Soql, soql } from './soql.ts'
import { domainOf, isOfDomain } from './website.ts'
import { readInstant, readValue } from './wire-instant.ts'

/** A record that may be meant, and what it was recognised by. */
interface Candidate {
  readonly crmId: string
  readonly key: string | null
  readonly ownerId: string | null
  readonly createdAt: string
  readonly object: RecordObject
  /** Lower-case e-mail addresses or domains. */
  readonly values: readonly string[]
  /** As it was read; null for one of which only another record has told. */
  readonly row: Row | null
}

/** What is looked for, and what is to be told of what is found. */
export interface Wanted {
  readonly lookups: readonly CrmLookup[]
  /** Absent: nothing but which records there are. */
  readonly properties?: readonly string[] | undefined
}

/**
 * Candidates for each lookup: by our own key where a record has it, else by e-mail or domain. Of a person,
 * contacts come before leads: a lead is only offered where there is no contact. All by SOQL, which does
 * not lag.
 */
export async function findRecords(
  session: Session,
  object: CrmObject,
  wanted: Wanted,
  signal: AbortSignal,
): Promise<CrmFound[][]> {
  const { lookups } = wanted
  if (lookups.length === 0) return []
  const told = await toldOf(session, object, wanted, signal)
  const candidates =
    object === 'contact'
      ? await people(session, lookups, told, signal)
      : await accounts(session, lookups, told, signal)
  const show = (by: CrmFound['by']) => (one: Candidate) => toFound(one, by, told, wanted)
  const byKey = grouped(candidates, ({ key }) => (key === null ? [] : [key]))
  const byValue = grouped(candidates, ({ values }) => values)
  const by = object === 'contact' ? 'email' : 'domain'
  return lookups.map((lookup) => {
    const own = byKey.get(lookup.key)
    if (own) return best(object, own).map(show('key'))
    const sought = object === 'contact' ? lookup.emails : lookup.domains
    const all = sought.flatMap((value) => {
      const some = byValue.get(value.toLowerCase()) ?? []
      return some.toSorted((a, b) => compare(a.createdAt, b.createdAt) || compare(a.crmId, b.crmId))
    })
    const distinct = [...new Map(all.map((one) => [one.crmId, one])).values()]
    return best(object, distinct).map(show(by))
  })
}

/** The candidates of the first object that has any. */
function best(object: CrmObject, candidates: readonly Candidate[]): readonly Candidate[] {
  const some = OBJECTS[object].map((one) => candidates.filter((other) => other.object === one))
  return some.find((list) => list.length > 0) ?? []
}

/** The fields that are read along, of each object. */
interface Told {
  readonly fields: (object: RecordObject) => readonly string[]
  /** Fields of the account of a contact. */
  readonly company: readonly string[]
}

async function toldOf(
  session: Session,
  object: CrmObject,
  { properties }: Wanted,
  signal: AbortSignal,
): Promise<Told> {
  if (properties === undefined) return { fields: () => [], company: [] }
  const fields = new Map<RecordObject, readonly string[]>()
  for (const one of OBJECTS[object]) {
    const described = await describe(session, one, signal)
    fields.set(
      one,
      properties.filter((property) => described.fields.has(property)),
    )
  }
  const company = object === 'contact' ? await companyFields(session, signal) : []
  return { fields: (one) => fields.get(one) ?? [], company }
}

async function people(
  session: Session,
  lookups: readonly CrmLookup[],
  told: Told,
  signal: AbortSignal,
): Promise<Candidate[]> {
  const keyField = session.keyField.contact
  const conditions = lookups.flatMap(({ key, emails }) => [
    { field: keyField, value: key },
    ...emails.map((email) => ({ field: 'Email', value: email })),
  ])
  const common = ['Id', 'OwnerId', 'CreatedDate', 'Email', keyField]
  const ofContacts = [...common, ...told.fields('Contact'), ...told.company]
  const contacts = inQueries('Contact', { fields: ofContacts }, conditions)
  const ofLeads = [...common, ...told.fields('Lead'), 'IsConverted', 'ConvertedContactId']
  const leads = inQueries('Lead', { fields: ofLeads }, conditions)
  const all = await runQueries(session, [...contacts, ...leads], signal)
  const found = all
    .slice(0, contacts.length)
    .flat()
    .map((row) => person('Contact', row, keyField))
  const rows = all.slice(contacts.length).flat()
  const open = rows.filter((row) => row['IsConverted'] !== true)
  found.push(...open.map((row) => person('Lead', row, keyField)))
  const converted = rows.filter((row) => row['IsConverted'] === true)
  return [...found, ...(await contactsOf(session, converted, found, signal))]
}

/**
 * Leads of ours that have become contacts: the contact is meant, whether the key went along or not. One that
 * was deleted since, or that the user does not see, is none.
 */
async function contactsOf(
  session: Session,
  leads: readonly Row[],
  found: readonly Candidate[],
  signal: AbortSignal,
): Promise<Candidate[]> {
  const known = new Set(found.map(({ crmId }) => crmId))
  const keyed = leads
    .map((row) => person('Lead', row, session.keyField.contact))
    .filter(({ key }) => key !== null)
    .flatMap((one) => {
      const contactId = one.row && textOf(one.row, 'ConvertedContactId')
      return contactId === null || known.has(contactId) ? [] : [{ one, contactId }]
    })
  const heirs = await findHeirs(
    session,
    keyed.map(({ contactId }) => contactId),
    signal,
  )
  return keyed.flatMap(({ one, contactId }): Candidate[] => {
    const crmId = heirs.has(contactId) ? heirs.get(contactId) : contactId
    if (!crmId || known.has(crmId)) return []
    return [{ ...one, crmId, object: 'Contact', values: [], row: null }]
  })
}

function person(object: 'Contact' | 'Lead', row: Row, keyField: string): Candidate {
  const email = textOf(row, 'Email')?.toLowerCase()
  return candidate(object, row, keyField, email === undefined ? [] : [email])
}

async function accounts(
  session: Session,
  lookups: readonly CrmLookup[],
  told: Told,
  signal: AbortSignal,
): Promise<Candidate[]> {
  const { keyField, rules } = session
  const account = await describe(session, 'Account', signal)
  const domainFields = rules.domainFields.filter((field) => account.fields.get(field)?.filterable)
  const domains = [...new Set(lookups.flatMap((one) => one.domains.map(lower)))]
  const conditions = lookups.flatMap((lookup) => [
    { field: keyField.company, value: lookup.key },
    ...lookup.domains.flatMap((domain) =>
      domainFields.map((field) => ({ field, value: lower(domain) })),
    ),
  ])
  const fields = [
    ...['Id', 'OwnerId', 'CreatedDate', 'Website', 'IsDeleted', 'MasterRecordId'],
    ...[keyField.company, ...domainFields, ...told.fields('Account')],
  ]
  const scope = { fields, noPersons: account.fields.has('IsPersonAccount') }
  const exact = inQueries('Account', scope, conditions)
  const websites = rules.matchWebsite ? websiteQueries(scope, domains) : []
  // With the deleted ones: an account that was merged still tells by its domain which one it became.
  const queries = [...exact, ...websites]
  const rows = (await runQueries(session, queries, signal, { withDeleted: true })).flat()
  const distinct = [...new Map(rows.map((row) => [idOf(row), row])).values()]
  const live = distinct.filter((row) => row['IsDeleted'] !== true)
  const merged = distinct.filter(
    (row) => row['IsDeleted'] === true && textOf(row, 'MasterRecordId'),
  )
  const valuesOf = (row: Row) => domainsOf(row, domainFields, domains)
  const found = live.map((row) => candidate('Account', row, keyField.company, valuesOf(row)))
  return [...found, ...(await heirs(session, found, merged, fields, valuesOf, signal))]
}

/** The accounts that merged ones have become, recognised by what those were. */
async function heirs(
  session: Session,
  found: readonly Candidate[],
  merged: readonly Row[],
  fields: readonly string[],
  valuesOf: (row: Row) => readonly string[],
  signal: AbortSignal,
): Promise<Candidate[]> {
  if (merged.length === 0) return []
  const masterOf = (row: Row) => textOf(row, 'MasterRecordId') ?? ''
  const ids = [...new Set(merged.map(masterOf))]
  const known = new Map(found.map((one) => [one.crmId, one]))
  const lacking = ids.filter((id) => !known.has(id))
  const queries = queriesFor(lacking, literalBytes, (some) => {
    return soql`SELECT ${names(fields)} FROM Account WHERE Id IN ${some}`
  })
  for (const row of (await runQueries(session, queries, signal)).flat()) {
    known.set(idOf(row), candidate('Account', row, session.keyField.company, valuesOf(row)))
  }
  return merged.flatMap((row) => {
    const master = known.get(masterOf(row))
    return master ? [{ ...master, key: master.key, values: valuesOf(row) }] : []
  })
}

function candidate(
  object: RecordObject,
  row: Row,
  keyField: string,
  values: readonly string[],
): Candidate {
  return {
    object,
    values,
    row,
    crmId: idOf(row),
    key: textOf(row, keyField),
    ownerId: textOf(row, 'OwnerId'),
    createdAt: readInstant(textOf(row, 'CreatedDate')) ?? new Date(0).toISOString(),
  }
}

/** Of the domains that are looked for, those that an account has in a field or as its website. */
function domainsOf(row: Row, fields: readonly string[], wanted: readonly string[]): string[] {
  const held = fields.flatMap((field) => textOf(row, field)?.toLowerCase() ?? [])
  const host = domainOf(textOf(row, 'Website'))
  const ofHost = host === null ? [] : wanted.filter((domain) => isOfDomain(host, domain))
  return [...new Set([...held, ...ofHost])]
}

interface Condition {
  readonly field: string
  readonly value: string
}

interface Asked {
  readonly fields: readonly string[]
  /** Persons who are accounts are no companies. */
  readonly noPersons?: boolean
}

const companiesOnly = ({ noPersons = false }: Asked): Soql =>
  noPersons ? soql` AND IsPersonAccount = false` : soql``

/** Records on which one of several fields has one of its values. */
function inQueries(object: RecordObject, asked: Asked, conditions: readonly Condition[]): Soql[] {
  const distinct = [
    ...new Map(conditions.map((one) => [`${one.field} ${one.value}`, one])).values(),
  ]
  return queriesFor(
    distinct,
    ({ value }) => literalBytes(value),
    (some) => {
      const each = [...new Set(some.map(({ field }) => field))].map((field) => {
        const values = some.flatMap((one) => (one.field === field ? [one.value] : []))
        return soql`${name(field)} IN ${values}`
      })
      return soql`SELECT ${names(asked.fields)} FROM ${name(object)} WHERE ${anyOf(each)}${companiesOnly(asked)}`
    },
  )
}

/** Salesforce keeps a website as somebody typed it: looked for by what it holds, and read exactly here. */
function websiteQueries(asked: Asked, domains: readonly string[]): Soql[] {
  const bytesOf = (domain: string) => literalBytes(domain) + 'Website LIKE %% OR '.length * 2
  return queriesFor(domains, bytesOf, (some) => {
    const each = some.map((domain) => soql`Website LIKE ${containing(domain)}`)
    return soql`SELECT ${names(asked.fields)} FROM Account WHERE ${anyOf(each)}${companiesOnly(asked)}`
  })
}

function grouped(
  candidates: readonly Candidate[],
  valuesOf: (candidate: Candidate) => readonly string[],
): Map<string, Candidate[]> {
  const groups = new Map<string, Candidate[]>()
  for (const one of candidates) {
    for (const value of valuesOf(one)) groups.set(value, [...(groups.get(value) ?? []), one])
  }
  return groups
}

function toFound(
  { crmId, key, ownerId, createdAt, object, row }: Candidate,
  by: CrmFound['by'],
  { company }: Told,
  { properties }: Wanted,
): CrmFound {
  const found = { crmId, by, key, ownerId, createdAt }
  if (row === null || properties === undefined) return found
  const values = Object.fromEntries(properties.map((name) => [name, readValue(row[name])]))
  if (object !== 'Contact') return { ...found, values }
  return { ...found, values, company: companyIn(row, company) }
}

const lower = (text: string) => text.toLowerCase()

function compare(a: string, b: string): number {
  return a < b ? -1 : Number(a > b)
}
