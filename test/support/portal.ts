import type { HubspotSandbox, SandboxRecord } from '../../sandbox/hubspot/hubspot-sandbox.ts'

/** A task as a rep sees it, with the names of what it is attached to. */
export interface PortalTask {
  readonly subject: string
  readonly body: string
  readonly ownerId: string | null
  /** Domains of companies and addresses of contacts, sorted. */
  readonly on: readonly string[]
}

/** A portal as a person looks at it: live records by their natural names. */
export interface PortalView {
  contact(email: string): SandboxRecord | undefined
  company(domain: string): SandboxRecord | undefined
  readonly contacts: readonly string[]
  readonly companies: readonly string[]
  readonly tasks: readonly PortalTask[]
  /** `contact > company`, once for each pair. */
  readonly employments: readonly string[]
}

export function viewPortal(hubspot: HubspotSandbox): PortalView {
  const live = (object: string) => hubspot.records(object).filter((record) => !record.archived)
  const contacts = live('contacts')
  const companies = live('companies')
  const names = new Map<string, string>()
  for (const { id, properties } of contacts) names.set(`contacts ${id}`, properties['email'] ?? id)
  for (const { id, properties } of companies) {
    names.set(`companies ${id}`, properties['domain'] ?? id)
  }
  const links = hubspot.associations().map(({ from, to }) => ({
    from: `${from.type} ${from.id}`,
    to: `${to.type} ${to.id}`,
  }))
  const neighbours = (id: string) =>
    links.flatMap(({ from, to }) => (from === id ? [to] : to === id ? [from] : []))
  return {
    contact: (email) => contacts.find(({ properties }) => properties['email'] === email),
    company: (domain) => companies.find(({ properties }) => properties['domain'] === domain),
    contacts: contacts.map(({ id, properties }) => properties['email'] ?? id).sort(),
    companies: companies.map(({ id, properties }) => properties['domain'] ?? id).sort(),
    tasks: live('tasks').map(({ id, properties }) => ({
      subject: properties['hs_task_subject'] ?? '',
      body: properties['hs_task_body'] ?? '',
      ownerId: properties['hubspot_owner_id'] ?? null,
      on: [...new Set(neighbours(`tasks ${id}`).map((end) => names.get(end) ?? end))].sort(),
    })),
    employments: contacts
      .flatMap(({ id }) => {
        const ends = new Set(neighbours(`contacts ${id}`).filter((e) => e.startsWith('companies')))
        return [...ends].map(
          (end) => `${names.get(`contacts ${id}`)} > ${names.get(end) ?? `gone ${end}`}`,
        )
      })
      .sort(),
  }
}

/** How often a property of a record was written through the API. */
export function timesWritten(record: SandboxRecord | undefined, property: string): number {
  return record?.history[property]?.length ?? 0
}
