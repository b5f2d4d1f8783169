import type { CrmAbout, CrmEngagement, CrmEngagementKind } from '../../../src/core/ports/crm.ts'
import { newestFirst } from './find-tasks.ts'
import { fromIdsByTo, readAssociations } from './read-associations.ts'
import { MAX_BATCH, readRecords } from './records.ts'
import { chunks, type Session } from './session.ts'
import { readInstant } from './wire-instant.ts'
import type { HubspotRecord } from './wire-shapes.ts'

/** By kind: the object, and the property that tells from whom it came, with its word for "from them". */
const KINDS = {
  call: { path: 'calls', direction: ['hs_call_direction', 'INBOUND'] },
  email: { path: 'emails', direction: ['hs_email_direction', 'INCOMING_EMAIL'] },
  meeting: { path: 'meetings', direction: null },
} as const
const COMMON = ['hs_timestamp', 'hubspot_owner_id'] as const

/** What was logged with contacts and companies; neither subjects nor texts are asked for. */
export async function readEngagementsOf(
  session: Session,
  about: CrmAbout,
  wanted: { readonly kinds: readonly CrmEngagementKind[]; readonly since: Date },
  signal: AbortSignal,
): Promise<CrmEngagement[]> {
  const found: CrmEngagement[] = []
  for (const kind of wanted.kinds) {
    const { path } = KINDS[kind]
    const { contactIds, companyIds } = about
    const ofContacts = await readAssociations(session, 'contacts', path, contactIds, signal)
    const ofCompanies = await readAssociations(session, 'companies', path, companyIds, signal)
    const ids = [...new Set([...ofContacts, ...ofCompanies].map(({ toId }) => toId))]
    const records = await readSince(session, kind, ids, wanted.since, signal)
    const [contacts, companies] = [fromIdsByTo(ofContacts), fromIdsByTo(ofCompanies)]
    for (const record of records) {
      const contactIds = contacts.get(record.id) ?? []
      found.push({ ...record, contactIds, companyIds: companies.get(record.id) ?? [] })
    }
  }
  return found
}

type Logged = Omit<CrmEngagement, 'contactIds' | 'companyIds'>

/** Newest first, until a whole batch is too old: years of e-mails are not read for the last week's. */
async function readSince(
  session: Session,
  kind: CrmEngagementKind,
  ids: readonly string[],
  since: Date,
  signal: AbortSignal,
): Promise<Logged[]> {
  const { path, direction } = KINDS[kind]
  const properties = [...COMMON, ...(direction === null ? [] : [direction[0]])]
  const found: Logged[] = []
  for (const some of chunks([...ids].sort(newestFirst), MAX_BATCH)) {
    const records = await readRecords(session, { object: path, ids: some, properties }, signal)
    const recent = records
      .flatMap((record) => toLogged(kind, record) ?? [])
      .filter(({ at }) => Date.parse(at) >= since.getTime())
    found.push(...recent)
    if (recent.length === 0) break
  }
  return found
}

function toLogged(kind: CrmEngagementKind, { id, properties }: HubspotRecord): Logged | null {
  const { direction } = KINDS[kind]
  const at = readInstant(properties['hs_timestamp'])
  if (at === null) return null
  const incoming = direction !== null && properties[direction[0]] === direction[1]
  return { id, kind, at, incoming, ownerId: properties['hubspot_owner_id'] || null }
}
