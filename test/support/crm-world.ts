import { reconcileObject } from '../../jobs/steps/reconcile-object.ts'
import type {
  HubspotSandbox,
  HubspotSandboxOptions,
} from '../../sandbox/hubspot/hubspot-sandbox.ts'
import { crmMappingSchema, type ObjectMapping } from '../../src/core/mapping/crm-mapping.ts'
import type { Crm, CrmObject } from '../../src/core/ports/crm.ts'
import type { Properties } from '../../src/core/sync/desired-record.ts'
import { provisionPlan } from '../../src/core/sync/provision-plan.ts'
import { storeDesired, type WantedRecord } from '../../src/infra/postgres/crm-record-store.ts'
import { type Database, openDatabase } from '../../src/infra/postgres/database.ts'
import { closeAccounts, openAccount } from '../contract/hubspot-subject.ts'
import { createState, type TestState } from './state.ts'

/** What one run over the records noted. */
export interface Noted {
  readonly counts: Readonly<Record<string, number>>
  readonly entries: readonly {
    readonly ref: string
    readonly outcome: string
    readonly reason: string | null
  }[]
}

/** The database's records and one HubSpot account, with nothing between them but the step that reconciles. */
export interface CrmWorld {
  readonly database: Database
  readonly databaseUrl: string
  readonly sandbox: HubspotSandbox
  readonly crm: Crm
  /** Rules of an object, with some of them changed. */
  rules(object: CrmObject, change?: Readonly<Record<string, unknown>>): ObjectMapping
  /** Says what a record should say; its address or domain is made of its id. */
  want(object: CrmObject, ref: string, more?: Partial<WantedRecord>): Promise<void>
  wantAll(records: readonly WantedRecord[]): Promise<void>
  reconcile(object: CrmObject, rules?: ObjectMapping): Promise<Noted>
  /** State, CRM id and reason of a record of ours. */
  row(ref: string): Promise<{
    readonly state: string
    readonly crm_id: string | null
    readonly reason: string | null
    readonly code: string | null
    readonly created: boolean
    readonly written: unknown
  }>
}

export const OBJECTS = { contact: 'contacts', company: 'companies' } as const

const KEYS = { contact: 'pql_person_id', company: 'pqa_account_id' } as const
const SUBJECTS = { contact: 'person', company: 'account' } as const

export function wanted(
  object: CrmObject,
  ref: string,
  more: Partial<WantedRecord> = {},
): WantedRecord {
  const isContact = object === 'contact'
  const email = `${ref}@acme.example`
  const domain = `${ref.replaceAll('_', '-')}.example`
  return {
    ref,
    object,
    properties: { score: 70, grade: 'B' },
    onCreate: isContact ? { email } : { domain, name: ref },
    emails: isContact ? [email] : [],
    domains: isContact ? [] : [domain],
    mayCreate: true,
    thorough: true,
    onLeave: null,
    urgent: false,
    companyRef: null,
    ...more,
  }
}

function rulesOf(object: CrmObject, change: Readonly<Record<string, unknown>> = {}): ObjectMapping {
  const rules = {
    subject: SUBJECTS[object],
    model: 'm',
    key: { property: KEYS[object], label: 'Id' },
    create: 'always',
    group: { name: 'ripen', label: 'Ripen' },
    properties: {
      // Every change is written: how little may change is told elsewhere.
      score: { from: 'score', type: 'number', label: 'Score', 'min-delta': 1 },
      grade: {
        from: 'grade',
        type: 'enumeration',
        label: 'Grade',
        'at-most-every': 'always',
        options: ['A', 'B', 'C'].map((value) => ({ value, label: value })),
      },
      ...(change['properties'] as object | undefined),
    },
  }
  const parsed = crmMappingSchema.parse({
    version: 1,
    objects: { [object]: { ...rules, ...change, properties: rules.properties } },
  })
  const found = parsed.objects[object]
  if (!found) throw new Error('no rules')
  return found
}

const open: { readonly database: Database; readonly state: TestState }[] = []

export async function openCrmWorld(options: HubspotSandboxOptions = {}): Promise<CrmWorld> {
  const state = await createState()
  const database = await openDatabase(state.databaseUrl ?? '')
  open.push({ database, state })
  const { db } = database
  const { sandbox, crm } = await openAccount(options)
  const { signal } = new AbortController()
  for (const object of ['contact', 'company'] as const) {
    await crm.provision(provisionPlan(object, rulesOf(object)), signal)
  }
  sandbox.resetCalls()
  const wantAll = (records: readonly WantedRecord[]) =>
    db.transaction().execute((tx) => storeDesired(tx, 'hubspot', records))
  return {
    ...{ database, databaseUrl: state.databaseUrl ?? '', sandbox, crm, rules: rulesOf, wantAll },
    want: (object, ref, more) => wantAll([wanted(object, ref, more)]),
    async reconcile(object, rules = rulesOf(object)) {
      const counts: Record<string, number> = {}
      const entries: Noted['entries'][number][] = []
      await reconcileObject({
        ...{
          context: { db, pool: database.pool, clock: () => new Date(), onProgress: () => {} },
          crm,
          object,
          rules,
          signal,
        },
        run: {
          note: ({ ref, outcome, reason }) => void entries.push({ ref, outcome, reason }),
          count: (name, n = 1) => {
            counts[name] = (counts[name] ?? 0) + n
          },
        },
      })
      return { counts, entries }
    },
    row: (ref) =>
      db
        .selectFrom('crm_record')
        .select(['state', 'crm_id', 'reason', 'code', 'created', 'written'])
        .where('ref', '=', ref)
        .executeTakeFirstOrThrow(),
  }
}

/** What live records of an object say in HubSpot, by id. */
export function said(world: CrmWorld, object: CrmObject): ReadonlyMap<string, Properties> {
  const live = world.sandbox.records(OBJECTS[object]).filter(({ archived }) => !archived)
  return new Map(live.map(({ id, properties }) => [id, properties]))
}

export async function closeCrmWorlds(): Promise<void> {
  for (const { database, state } of open.splice(0)) {
    await database.close()
    await state.close()
  }
  await closeAccounts()
}
