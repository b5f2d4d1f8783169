import pg from 'pg'
import type { HubspotSandbox, SandboxRecord } from '../../sandbox/hubspot/hubspot-sandbox.ts'
import { acquireEmbeddedPostgres } from '../../src/infra/postgres/embedded/acquire.ts'
import { viewPortal } from './portal.ts'
import type { TestState } from './state.ts'

/**
 * What must be the same however often a run was killed: everything by its natural name, because a
 * person's id tells which of her identities came first.
 */
export interface FinalState {
  readonly sources: readonly unknown[]
  readonly days: readonly unknown[]
  readonly people: readonly unknown[]
  readonly scores: readonly unknown[]
  readonly records: readonly unknown[]
  readonly tasks: readonly unknown[]
  /** Steps that have something left to do, but for those that a later command does. */
  readonly open: readonly string[]
}

const NAMES = `with subject (id, name) as (
  select id, coalesce(email, id) from person union all select id, domain from account)`

const QUERIES = {
  sources: `select source, window_key, rows, content_hash from source_window order by 1, 2`,
  days: `select source, day::text, events, requested = done as settled from rollup_day
    join rollup_generation using (generation) where live order by 1, 2`,
  people: `select p.email, p.email_kind, a.domain, p.told, p.first_seen, p.last_seen,
      (select array_agg(node order by node) from identity_node n where n.person_id = p.id) as nodes
    from person p left join account a on a.id = p.account_id order by p.email`,
  scores: `${NAMES} select name, model, model_version, score, grade, usage_status, sales_status,
      status_since, qualified_at, change, trend, contributions, changed, missing, held_until, facts - 'championId' - 'otherIds'
        as facts, evidence_at, as_of,
      (select count(*) from score_change c where c.subject_id = s.subject_id) as changes
    from score s join subject on id = subject_id order by name, model`,
  records: `${NAMES} select name, object, state, reason, desired = written as written,
      crm_id is not null as known, company_ref is not null as employed,
      company_linked is not null as linked
    from crm_record join subject on id = ref order by object, name`,
  tasks: `${NAMES} select name, marker, state, crm_task_id is not null as known
    from task_intent join subject on id = account_ref order by name`,
  open: `select step from work where requested > done order by step`,
} as const

/** Reads the state of a home while no command runs. */
export async function readFinalState(home: TestState): Promise<FinalState> {
  const server = home.databaseUrl ? null : await acquireEmbeddedPostgres({ dataDir: home.dataDir })
  const client = new pg.Client({ connectionString: home.databaseUrl ?? server?.url ?? '' })
  try {
    await client.connect()
    const read = async (name: keyof typeof QUERIES) => (await client.query(QUERIES[name])).rows
    return {
      sources: await read('sources'),
      days: await read('days'),
      people: await read('people'),
      scores: await read('scores'),
      records: await read('records'),
      tasks: await read('tasks'),
      open: (await read('open')).map(({ step }) => String(step)),
    }
  } finally {
    await client.end()
    await server?.release()
  }
}

/** Set by the clock or by the vendor, or an id. */
const VOLATILE =
  /^(hs_(?!task_)|createdate|lastmodifieddate|hubspot_|num_|associated|pql_person_id|pqa_account_id)/

const settledValues = ({ properties }: SandboxRecord) =>
  Object.fromEntries(Object.entries(properties).filter(([name]) => !VOLATILE.test(name)))

/** What HubSpot holds in the end: every live record, by its natural name, as often as it is there. */
export function readFinalPortal(hubspot: HubspotSandbox): unknown {
  const live = (object: string, name: string) =>
    hubspot
      .records(object)
      .filter((record) => !record.archived)
      .map(settledValues)
      .sort((a, b) => (String(a[name]) < String(b[name]) ? -1 : 1))
  const { tasks, employments } = viewPortal(hubspot)
  return {
    contacts: live('contacts', 'email'),
    companies: live('companies', 'domain'),
    tasks: [...tasks].sort((a, b) => (a.subject < b.subject ? -1 : 1)),
    employments,
  }
}
