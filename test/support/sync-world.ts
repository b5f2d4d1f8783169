import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { createHubspotWebhook } from '../../connectors/crms/hubspot/hubspot-webhook.ts'
import { pollChanges } from '../../jobs/steps/poll-changes.ts'
import { readFields, readStale } from '../../jobs/steps/read-fields.ts'
import { reconcileObject } from '../../jobs/steps/reconcile-object.ts'
import { takeDeliveries } from '../../jobs/steps/take-deliveries.ts'
import type { HubspotSandbox } from '../../sandbox/hubspot/hubspot-sandbox.ts'
import type { FlushOptions } from '../../sandbox/hubspot/webhook-sender.ts'
import { type CrmMapping, crmMappingSchema } from '../../src/core/mapping/crm-mapping.ts'
import type { Crm } from '../../src/core/ports/crm.ts'
import type { Properties } from '../../src/core/sync/desired-record.ts'
import { provisionPlan } from '../../src/core/sync/provision-plan.ts'
import { storeDelivery } from '../../src/infra/postgres/crm-delivery-store.ts'
import { storeDesired } from '../../src/infra/postgres/crm-record-store.ts'
import { type Database, openDatabase } from '../../src/infra/postgres/database.ts'
import { openDueHolds, takeRules } from '../../src/infra/postgres/parked-store.ts'
import { closeAccounts, openAccount } from '../contract/hubspot-subject.ts'
import { wanted } from './crm-world.ts'
import { createState, type TestState } from './state.ts'

/** When a process dies: at its so many-th call, before it is made or before its answer is taken. */
export interface Death {
  readonly call: number
  readonly isAfter: boolean
}

/** One installation of Ripen on one portal: the steps that write and that hear, and a clock. */
export interface SyncWorld {
  readonly database: Database
  readonly sandbox: HubspotSandbox
  now: number
  /** Says what a contact should say. */
  want(ref: string, properties: Properties): Promise<void>
  /** Dies, where said, right before or after a call to the portal. */
  reconcile(death?: Death): Promise<Readonly<Record<string, number>>>
  /** Delivers what the portal told since, and reads what is said to have changed. */
  hear(how?: FlushOptions): Promise<Readonly<Record<string, number>>>
  poll(): Promise<void>
  /** Reads what is due. */
  compare(): Promise<Readonly<Record<string, number>>>
  /** Other rules for the contacts. */
  rules(properties: Readonly<Record<string, object>>, more?: object): Promise<void>
  /** Live contacts, by their address. */
  said(): ReadonlyMap<string, Properties>
  contactId(ref: string): string
}

const open: { readonly database: Database; readonly state: TestState; readonly server: Server }[] =
  []

/** A portal that several installations may share. */
export interface Portal {
  readonly sandbox: HubspotSandbox
  readonly crm: Crm
}

function mappingOf(properties: Readonly<Record<string, object>>, more: object): CrmMapping {
  const named = Object.entries(properties).map(
    ([name, p]) => [name, { label: name, type: 'string', ...p }] as const,
  )
  return crmMappingSchema.parse({
    version: 1,
    objects: {
      contact: {
        ...{ subject: 'person', model: 'm', create: 'always' },
        key: { property: 'pql_person_id', label: 'Id' },
        group: { name: 'ripen', label: 'Ripen' },
        properties: Object.fromEntries(named),
      },
    },
    ...more,
  })
}

export async function openSyncWorld(
  properties: Readonly<Record<string, object>>,
  portal?: Portal,
): Promise<SyncWorld> {
  const state = await createState()
  const database = await openDatabase(state.databaseUrl ?? '')
  const { db } = database
  const { sandbox, crm } = portal ?? (await openAccount())
  let bodies: string[] = []
  const server = createServer((request, response) => {
    const chunks: Buffer[] = []
    request.on('data', (chunk: Buffer) => chunks.push(chunk))
    request.on('end', () => {
      bodies.push(Buffer.concat(chunks).toString('utf8'))
      response.end()
    })
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  open.push({ database, state, server })
  const { signal } = new AbortController()
  const { port } = server.address() as AddressInfo
  const targetUrl = `http://127.0.0.1:${port}/`
  if (!portal) sandbox.webhooks.configure({ targetUrl, clientSecret: 'a secret' })
  let mapping = mappingOf(properties, {})
  const clock = () => new Date(world.now)
  const context = { db, pool: database.pool, clock, onProgress: () => {} }
  const told = async (work: (run: ReturnType<typeof tally>['run']) => Promise<unknown>) => {
    const { run, counts } = tally()
    await work(run)
    return counts
  }
  const provision = async () => {
    const rules = mapping.objects.contact
    if (rules) await crm.provision(provisionPlan('contact', rules), signal)
  }
  const world: SyncWorld = {
    ...{ database, sandbox, now: Date.parse('2026-09-10T08:00:00Z') },
    want: (ref, values) =>
      db
        .transaction()
        .execute((tx) =>
          storeDesired(tx, crm.name, [wanted('contact', ref, { properties: values })]),
        ),
    reconcile: (death) =>
      told(async (run) => {
        const rules = mapping.objects.contact
        if (!rules) return
        await openDueHolds(db, crm.name, clock())
        await takeRules(db, { crm: crm.name, object: 'contact', hash: JSON.stringify(rules) })
        const mortal = death ? mortalCrm(crm, death) : crm
        await reconcileObject({ context, crm: mortal, object: 'contact', rules, signal, run })
      }),
    hear: (how = {}) =>
      told(async (run) => {
        bodies = []
        await sandbox.webhooks.flush(how)
        for (const body of bodies) await storeDelivery(db, crm.name, body)
        const teller = createHubspotWebhook('not verified here')
        await takeDeliveries({ context, crm, teller, mapping, signal, run })
        await readStale(context, crm, mapping, signal, run)
      }),
    async poll() {
      await told(async (run) => {
        while (await pollChanges(context, crm, mapping, signal, run));
        await readStale(context, crm, mapping, signal, run)
      })
    },
    compare: () => told((run) => readFields(context, crm, mapping, signal, run)),
    async rules(changed, more = {}) {
      mapping = mappingOf(changed, more)
      await provision()
    },
    said() {
      const live = sandbox.records('contacts').filter(({ archived }) => !archived)
      return new Map(live.map(({ properties: p }) => [p['email'] ?? '', p]))
    },
    contactId(ref) {
      const live = sandbox.records('contacts').filter(({ archived }) => !archived)
      return live.find(({ properties: p }) => p['email'] === `${ref}@acme.example`)?.id ?? ''
    },
  }
  await provision()
  sandbox.resetCalls()
  return world
}

/** The same CRM, to whoever dies while talking to it. */
function mortalCrm(crm: Crm, { call, isAfter }: Death): Crm {
  let calls = 0
  return new Proxy(crm, {
    get(target, name) {
      const member: unknown = Reflect.get(target, name)
      if (typeof member !== 'function') return member
      return (...args: unknown[]) => {
        const dies = ++calls === call
        const killed = () => Promise.reject(new Error('killed'))
        if (dies && !isAfter) return killed()
        const answer: unknown = member.apply(target, args)
        return dies ? Promise.resolve(answer).then(killed) : answer
      }
    },
  })
}

function tally() {
  const counts: Record<string, number> = {}
  const count = (name: string, n = 1) => {
    counts[name] = (counts[name] ?? 0) + n
  }
  return { counts, run: { note: () => {}, count } }
}

/** Write calls that were made to the portal. */
export const writeCalls = ({ sandbox }: Pick<SyncWorld, 'sandbox'>): number =>
  sandbox.calls().filter(({ kind }) => kind === 'write').length

export async function closeSyncWorlds(): Promise<void> {
  for (const { database, state, server } of open.splice(0)) {
    await new Promise((resolve) => server.close(resolve))
    await database.close()
    await state.close()
  }
  await closeAccounts()
}
