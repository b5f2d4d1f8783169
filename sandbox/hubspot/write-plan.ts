import { isObject, readId } from './api-endpoint.ts'
import type { AssociationEnd } from './association-graph.ts'
import { checkStage, stageProperties } from './deal-pipelines.ts'
import { contactExists, invalid, invalidValues } from './hubspot-error.ts'
import {
  associationKinds,
  isActivity,
  OBJECT_TYPE_NAMES,
  OBJECT_TYPES,
  type ObjectType,
} from './object-types.ts'
import type { PortalState } from './portal-state.ts'
import { checkProperties } from './property-check.ts'
import { link } from './record-linking.ts'
import { repeatedInputs } from './record-lookup.ts'
import type { StoredRecord } from './stored-record.ts'

/** The app in whose name the API writes. */
export const API_SOURCE = '1357911'

interface PlannedLink {
  readonly to: AssociationEnd
  readonly typeId: number
}

/** A checked write that has not happened yet. */
export interface PlannedWrite {
  readonly id: string
  readonly isNew: boolean
  readonly set: Readonly<Record<string, string>>
  readonly system: Readonly<Record<string, string>>
  readonly links: readonly PlannedLink[]
  /** Further properties that the answer shows. */
  readonly echo?: readonly string[]
}

/** Checks the writes of one request, against the records and against each other. */
export class WritePlan {
  private readonly state: PortalState
  private readonly type: ObjectType
  private readonly onTheirOwn: boolean
  /** Unique values taken by earlier writes of this plan. */
  private readonly claims = new Map<string, string>()

  /** `onTheirOwn`: a write that fails leaves the others of the plan standing. */
  constructor(state: PortalState, type: ObjectType, onTheirOwn = false) {
    this.state = state
    this.type = type
    this.onTheirOwn = onTheirOwn
  }

  create(properties: unknown, associations?: unknown): PlannedWrite {
    const set = checkProperties(this.state, this.type, properties, undefined)
    if ((this.type === 'tasks' || isActivity(this.type)) && !set['hs_timestamp']) {
      const kind = OBJECT_TYPES[this.type].singular.toUpperCase()
      throw invalid(`Error creating ${kind}. Some required properties were not set.`, {
        context: { properties: ['hs_timestamp'] },
      })
    }
    if (this.type === 'deals') checkStage(set)
    const links = this.readLinks(associations)
    const id = this.state.table(this.type).reserveId()
    this.claimUniqueValues(id, set)
    const system = { ...derived(this.type, set), ...derivedOnce(this.type, id, set) }
    return { id, isNew: true, set, system, links }
  }

  update(record: StoredRecord, properties: unknown): PlannedWrite {
    const set = checkProperties(this.state, this.type, properties, record)
    if (this.type === 'deals') checkStage(set, record.properties)
    this.claimUniqueValues(record.id, set)
    const system = { ...derived(this.type, set), ...swappedEmails(this.type, record, set) }
    return { id: record.id, isNew: false, set, system, links: [] }
  }

  private claimUniqueValues(id: string, set: Readonly<Record<string, string>>): void {
    const unique = Object.entries(set).filter(
      ([name, value]) => value !== '' && this.isUnique(name),
    )
    for (const [name, value] of unique) {
      const holder = this.holderOf(name, value)
      if (holder !== undefined && holder !== id) throw this.conflict(name, value, id, holder)
      const claimant = this.claims.get(`${name}\n${value}`)
      if (claimant === undefined || claimant === id) continue
      throw this.onTheirOwn ? this.conflict(name, value, id, claimant) : repeatedInputs([value])
    }
    for (const [name, value] of unique) this.claims.set(`${name}\n${value}`, id)
  }

  private isUnique(name: string): boolean {
    if (this.type === 'contacts' && name === 'email') return true
    return this.state.properties(this.type).get(name)?.hasUniqueValue ?? false
  }

  private holderOf(name: string, value: string): string | undefined {
    const table = this.state.table(this.type)
    if (name === 'email' && this.type === 'contacts') return table.byEmail(value)?.id
    return table.byValue(name, value).find((id) => table.live(id)?.properties[name] === value)
  }

  private conflict(name: string, value: string, id: string, holder: string): Error {
    if (name === 'email') return contactExists(holder)
    const { singular } = OBJECT_TYPES[this.type]
    const message = `Cannot set property ${name} of ${singular} ${id} to ${value}. ${holder} already has that value.`
    return invalidValues([{ name, error: 'CONFLICTING_UNIQUE_VALUE', message }])
  }

  private readLinks(associations: unknown): PlannedLink[] {
    if (!Array.isArray(associations)) return []
    return associations.flatMap((item: unknown) => {
      const id = isObject(item) && isObject(item['to']) ? readId(item['to']['id']) : ''
      const types: unknown[] = isObject(item) && Array.isArray(item['types']) ? item['types'] : []
      return types.map((type) => this.readLink(id, type))
    })
  }

  private readLink(id: string, type: unknown): PlannedLink {
    const typeId = isObject(type) ? type['associationTypeId'] : undefined
    const to = OBJECT_TYPE_NAMES.find((candidate) =>
      associationKinds(this.type, candidate).some((kind) => kind.typeId === typeId),
    )
    if (to === undefined || typeof typeId !== 'number') {
      throw invalid(`Association type id ${String(typeId)} is not valid for ${this.type}`)
    }
    const record = this.state.table(to).resolve(id)
    if (record === undefined) {
      throw invalid(`No ${OBJECT_TYPES[to].singular} with ID ${id} exists to associate with`)
    }
    return { to: { type: to, id: record.id }, typeId }
  }
}

/** Carries out a planned write; only inside a transaction. */
export function applyPlanned(
  state: PortalState,
  type: ObjectType,
  planned: PlannedWrite,
  source = API_SOURCE,
): void {
  const { id, set } = planned
  const before = state.table(type).live(id)?.properties ?? {}
  const system = { ...planned.system, ...derivedNow(type, set, before, state.transactionAt) }
  state.apply({ op: 'write', object: type, write: { id, set, system, source } })
  for (const { to, typeId } of planned.links) link(state, { type, id }, to, typeId)
}

/** What follows from the written values, at creation and later. */
function derived(type: ObjectType, set: Readonly<Record<string, string>>): Record<string, string> {
  const email = set['email']
  if (type !== 'contacts' || email === undefined) return {}
  return { hs_email_domain: email.slice(email.indexOf('@') + 1) }
}

/** What follows from a value and the moment at which it is written. */
function derivedNow(
  type: ObjectType,
  set: Readonly<Record<string, string>>,
  before: Readonly<Record<string, string>>,
  at: number,
): Record<string, string> {
  if (type === 'deals') return stageProperties(set, before, at)
  const { hs_task_status: status } = set
  if (type !== 'tasks' || status === undefined) return {}
  if (status !== 'COMPLETED') return { hs_task_completion_date: '' }
  const doneAt = before['hs_task_completion_date'] ?? new Date(at).toISOString()
  return { hs_task_completion_date: doneAt }
}

/** An additional address that becomes the primary one changes places with it. */
function swappedEmails(
  type: ObjectType,
  record: StoredRecord,
  set: Readonly<Record<string, string>>,
): Record<string, string> {
  const { email: current = '', hs_additional_emails: list = '' } = record.properties
  const { email } = set
  const additional = list.split(';').filter(Boolean)
  if (type !== 'contacts' || email === undefined || !additional.includes(email)) return {}
  const others = additional.filter((other) => other !== email)
  return { hs_additional_emails: [...others, current].filter(Boolean).join(';') }
}

function derivedOnce(
  type: ObjectType,
  id: string,
  set: Readonly<Record<string, string>>,
): Record<string, string> {
  const source = { hs_object_source: 'INTEGRATION' }
  if (type === 'contacts') {
    return {
      ...source,
      hs_all_contact_vids: id,
      hs_is_contact: 'true',
      hs_is_unworked: 'true',
      hs_pipeline: 'contacts-lifecycle-pipeline',
    }
  }
  const domain = set['domain']
  if (type === 'companies' && domain && !set['website']) return { ...source, website: domain }
  return source
}
