import {
  accountRef,
  domain,
  email,
  isLead,
  isNewAccount,
  isNewPerson,
  LOCKED_SHARE,
  personRef,
  range,
  type Size,
} from './population.ts'

/** A reason for calls, and how many it takes at least. */
export type Line = readonly [what: string, calls: number]

export interface Least {
  readonly calls: number
  readonly lines: readonly Line[]
}

/** What the population does not say. */
export interface Told {
  /** Leads that were converted before a sync began, and while its job was under way. */
  readonly convertedBefore: number
  readonly convertedMeanwhile: number
  /** Names of the fields that are written, by object: they are read first. */
  readonly fields: { readonly people: readonly string[]; readonly accounts: readonly string[] }
}

/** Salesforce takes so many bytes of address; so much of it is the path of a query. */
const ADDRESS_BYTES = 16_384
const PATH_BYTES = '/services/data/v67.0/query?q='.length
/** Queries that Salesforce takes in one composite call. */
const QUERIES_A_CALL = 5
/** Records that Salesforce takes in one call. */
const RECORDS_A_CALL = 200
/** A job is created, given its rows, let go, asked about once when it is over, and has three lists of results. */
const JOB_CALLS = 7
const ID_BYTES = literalBytes('003000000000000AAA')

/** The least calls of the first sync of a population, one reason a line. */
export function leastFirst(size: Size, told: Told): Least {
  const kinds = kindsOf(size)
  return summed([
    ...setUp(),
    // Users, groups and queues in one call.
    ['owners', 1],
    ['accounts looked up', composite(accountQueries(size, told))],
    ['accounts updated', toWrite(kinds.accounts, size)],
    ['accounts that were held', toWrite(held(kinds.accounts), size)],
    ['accounts created', toWrite(kinds.newAccounts, size)],
    ['people looked up', composite(peopleQueries(size, told))],
    // Contacts that are under no account are put there by the same write.
    ['contacts updated', toWrite(kinds.contacts, size)],
    ['contacts that were held', toWrite(held(kinds.contacts), size)],
    ['leads updated', toWrite(kinds.leads, size)],
    ['leads that were held', toWrite(held(kinds.leads), size)],
    ['leads created', toWrite(kinds.newPeople, size)],
    ...converted(told.convertedMeanwhile),
    ...fieldsRead(size),
  ])
}

/**
 * The least calls of a sync in which everybody says something else, and whose process ends in the middle of its
 * last job, of the leads: another process waits for it, and reads back what of it was in doubt.
 */
export function leastChanged(size: Size, told: Told): Least {
  const kinds = kindsOf(size)
  const accounts = kinds.accounts + kinds.newAccounts
  const contacts = kinds.contacts + told.convertedBefore
  const leads = kinds.leads + kinds.newPeople - told.convertedBefore
  return summed([
    ...setUp(),
    ['accounts updated', toWrite(accounts, size)],
    ['accounts that were held', toWrite(held(accounts), size)],
    ['contacts updated', toWrite(contacts, size)],
    ['contacts that were held', toWrite(held(contacts), size)],
    // Created, given its rows and let go; then nobody was there to ask about it.
    ['leads updated, by who died', JOB_CALLS - 4],
    ...setUp(),
    ['the job that was left', 1],
    ['leads in doubt read back', composite(queriesOfIds(leads))],
    ['leads that were held', toWrite(held(leads), size)],
    ...converted(told.convertedMeanwhile),
  ])
}

/** The least calls of a sync with nothing to write: whatever the mapping wants to know was read within the hour. */
export function leastRerun(): Least {
  return summed([['org', 1]])
}

/** Which org it is, and how its three objects are made. */
const setUp = (): Line[] => [
  ['org', 1],
  ['objects described', 3],
]

/** Where converted leads are now, whether that is still there and what it says; then they are written there. */
function converted(leads: number): Line[] {
  return [
    ['converted leads found', 3 * composite(queriesOfIds(leads))],
    ['converted leads written', Math.ceil(leads / RECORDS_A_CALL)],
  ]
}

/** What else the mapping wants to know, of everybody; later syncs come before the hour after which it is asked again. */
function fieldsRead({ people, accounts }: Size): Line[] {
  return [
    ['people read', composite(queriesOfIds(people))],
    ['accounts read', composite(queriesOfIds(accounts))],
  ]
}

/**
 * Every person may be a contact or a lead, and is known by our key or the address. What a record says and
 * the account that a contact is under are read along.
 */
function peopleQueries(size: Size, { fields }: Told): number {
  const values = range(size.people).map((i) => [personRef(i), email(i, size)])
  const bytes = values.map((some) => some.reduce((sum, one) => sum + literalBytes(one), 0))
  const words = 'FROM Contact WHERE (PQL_Person_Id__c IN () OR Email IN ())'
  return 2 * queries(bytes, words, [...fields.people, 'AccountId'])
}

/** Accounts are known by our key, by their field for the domain, or by their website. */
function accountQueries({ accounts }: Size, { fields }: Told): number {
  const all = range(accounts)
  const exact = all.map((i) => literalBytes(accountRef(i)) + literalBytes(domain(i)))
  const likes = all.map((i) => encodedBytes(`Website LIKE '%${domain(i)}%' OR `))
  const words = 'FROM Account WHERE (PQA_Account_Id__c IN () OR PQA_Domain__c IN ())'
  const columns = [...fields.accounts, 'Website']
  return queries(exact, words, columns) + queries(likes, 'FROM Account WHERE ()', columns)
}

/** Records of an object that change in one way: a job where there are many, calls of 200 otherwise. */
function toWrite(records: number, { bulkFrom }: Size): number {
  return records >= bulkFrom ? JOB_CALLS : Math.ceil(records / RECORDS_A_CALL)
}

const held = (records: number): number => Math.round(records * LOCKED_SHARE)
const composite = (count: number): number => Math.ceil(count / QUERIES_A_CALL)
const queriesOfIds = (records: number): number =>
  Math.ceil((records * ID_BYTES) / (ADDRESS_BYTES - PATH_BYTES))

/** So many values, cut to the length of an address, beside the columns that are asked for and the words between. */
function queries(bytes: readonly number[], words: string, columns: readonly string[]): number {
  const all = bytes.reduce((sum, one) => sum + one, 0)
  const rest = encodedBytes(`SELECT ${['Id', 'OwnerId', ...columns].join(', ')} ${words}`)
  return Math.ceil(all / (ADDRESS_BYTES - PATH_BYTES - rest))
}

function kindsOf(size: Size) {
  const people = range(size.people)
  const there = people.filter((i) => !isNewPerson(i))
  const companies = range(size.accounts)
  return {
    contacts: there.filter((i) => !isLead(i)).length,
    leads: there.filter(isLead).length,
    newPeople: people.filter(isNewPerson).length,
    accounts: companies.filter((i) => !isNewAccount(i)).length,
    newAccounts: companies.filter(isNewAccount).length,
  }
}

function summed(lines: readonly Line[]): Least {
  return { lines, calls: lines.reduce((sum, [, calls]) => sum + calls, 0) }
}

function literalBytes(value: string): number {
  return encodedBytes(`'${value}',`)
}

function encodedBytes(text: string): number {
  return encodeURIComponent(text).length
}
