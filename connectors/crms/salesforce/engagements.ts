import type { CrmAbout, CrmEngagement, CrmEngagementKind } from '../../../src/core/ports/crm.ts'
import { describe } from './describe.ts'
import { idsOf } from './objects.ts'
import { idOf, literalBytes, queriesFor, type Row, runQueries, textOf } from './query.ts'
import { type Session, unlessRefused } from './session.ts'
import { name, type Soql, soql } from './soql.ts'
import { readInstant } from './wire-instant.ts'

interface Wanted {
  readonly kinds: readonly CrmEngagementKind[]
  readonly since: Date
}

/** Calls and e-mails are tasks that are done, meetings are events. Neither subjects nor texts are asked for. */
export async function readEngagementsOf(
  session: Session,
  about: CrmAbout,
  { kinds, since }: Wanted,
  signal: AbortSignal,
): Promise<CrmEngagement[]> {
  const people = [...idsOf('Contact', about.contactIds), ...idsOf('Lead', about.contactIds)]
  const companies = idsOf('Account', about.companyIds)
  if (people.length + companies.length === 0 || kinds.length === 0) return []
  const ends = { people, companies }
  const subtypes = kinds.flatMap((kind) => (kind === 'meeting' ? [] : [SUBTYPES[kind]]))
  const done = { subtypes, since, notOurs: await notOurs(session, signal) }
  const tasks = subtypes.length > 0 ? taskQueries(ends, done) : []
  const events = kinds.includes('meeting') ? eventQueries(ends, since) : []
  const rows = await runQueries(session, [...tasks, ...events], signal)
  const ofTasks = unique(rows.slice(0, tasks.length).flat())
  const emails = ofTasks.flatMap((row) =>
    textOf(row, 'TaskSubtype') === 'Email' ? [idOf(row)] : [],
  )
  const messages = await readMessages(session, emails, signal)
  const asked = { people: new Set(people), companies: new Set(companies) }
  const logged = [
    ...ofTasks.map((row) => ofTask(row, messages.get(idOf(row)), asked)),
    ...unique(rows.slice(tasks.length).flat()).map((row) => ofEvent(row, asked)),
  ]
  const found = logged.filter(({ at }) => Date.parse(at) >= since.getTime())
  return found.toSorted(
    (a, b) => kinds.indexOf(a.kind) - kinds.indexOf(b.kind) || compare(a.at, b.at),
  )
}

const SUBTYPES = { call: 'Call', email: 'Email' } as const

interface Ends {
  readonly people: readonly string[]
  readonly companies: readonly string[]
}

interface Done {
  readonly subtypes: readonly string[]
  readonly since: Date
  readonly notOurs: Soql
}

/** A task of Ripen asks for a contact: that it was closed, perhaps by Ripen, is none. */
async function notOurs(session: Session, signal: AbortSignal): Promise<Soql> {
  const { taskKeyField } = session.rules
  const { fields } = await describe(session, 'Task', signal)
  return fields.has(taskKeyField) ? soql` AND ${name(taskKeyField)} = null` : soql``
}

/** A task may be closed days after its day: what is closed later than `since` is looked at. */
function taskQueries(ends: Ends, { subtypes, since, notOurs }: Done): Soql[] {
  const rest = soql`IsClosed = true AND TaskSubtype IN ${subtypes} AND CompletedDateTime >= ${since}${notOurs}`
  return byEnds(ends, (end) => {
    return soql`SELECT Id, TaskSubtype, CallType, CompletedDateTime, OwnerId, WhoId, WhatId, AccountId FROM Task WHERE ${end} AND ${rest}`
  })
}

function eventQueries(ends: Ends, since: Date): Soql[] {
  return byEnds(ends, (end) => {
    return soql`SELECT Id, StartDateTime, OwnerId, WhoId, WhatId, AccountId FROM Event WHERE ${end} AND StartDateTime >= ${since}`
  })
}

function byEnds({ people, companies }: Ends, build: (end: Soql) => Soql): Soql[] {
  return [
    ...queriesFor(people, literalBytes, (some) => build(soql`WhoId IN ${some}`)),
    ...queriesFor(companies, literalBytes, (some) => build(soql`AccountId IN ${some}`)),
  ]
}

interface Message {
  readonly incoming: boolean
  readonly at: string | null
}

/** Who wrote an e-mail only the message itself says, in orgs that keep messages. */
async function readMessages(
  session: Session,
  taskIds: readonly string[],
  signal: AbortSignal,
): Promise<Map<string, Message>> {
  const queries = queriesFor(taskIds, literalBytes, (some) => {
    return soql`SELECT ActivityId, Incoming, MessageDate FROM EmailMessage WHERE ActivityId IN ${some}`
  })
  const rows = (await unlessRefused(runQueries(session, queries, signal)))?.flat() ?? []
  return new Map(
    rows.map((row) => [
      textOf(row, 'ActivityId') ?? '',
      { incoming: row['Incoming'] === true, at: readInstant(textOf(row, 'MessageDate')) },
    ]),
  )
}

interface Asked {
  readonly people: ReadonlySet<string>
  readonly companies: ReadonlySet<string>
}

function ofTask(row: Row, message: Message | undefined, asked: Asked): CrmEngagement {
  const kind = textOf(row, 'TaskSubtype') === 'Email' ? 'email' : 'call'
  const completed = readInstant(textOf(row, 'CompletedDateTime'))
  const incoming = message?.incoming ?? textOf(row, 'CallType') === 'Inbound'
  const at = message?.at ?? completed ?? new Date(0).toISOString()
  return { id: idOf(row), kind, at, incoming, ...endsOf(row, asked) }
}

function ofEvent(row: Row, asked: Asked): CrmEngagement {
  const at = readInstant(textOf(row, 'StartDateTime')) ?? new Date(0).toISOString()
  return { id: idOf(row), kind: 'meeting', at, incoming: false, ...endsOf(row, asked) }
}

function endsOf(row: Row, { people, companies }: Asked) {
  const who = textOf(row, 'WhoId')
  const under = [textOf(row, 'AccountId'), textOf(row, 'WhatId')]
  return {
    ownerId: textOf(row, 'OwnerId'),
    contactIds: who !== null && people.has(who) ? [who] : [],
    companyIds: [...new Set(under)].filter((id) => id !== null).filter((id) => companies.has(id)),
  }
}

function unique(rows: readonly Row[]): Row[] {
  return [...new Map(rows.map((row) => [idOf(row), row])).values()]
}

function compare(a: string, b: string): number {
  return a < b ? -1 : Number(a > b)
}
