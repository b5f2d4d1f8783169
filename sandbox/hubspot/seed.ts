import { createCompanyOf } from './company-auto-create.ts'
import { makeOwner, type Owner } from './default-owners.ts'
import type { ObjectType } from './object-types.ts'
import type { PortalState } from './portal-state.ts'
import { link } from './record-linking.ts'
import { applyPlanned, WritePlan } from './write-plan.ts'

type Properties = Readonly<Record<string, string>>

export interface SeedData {
  readonly contacts?: readonly Properties[]
  readonly companies?: readonly Properties[]
  readonly owners?: readonly (Partial<Owner> & { readonly email: string })[]
  /** Pairs of positions: which seeded contact works at which seeded company. */
  readonly employments?: readonly { readonly contact: number; readonly company: number }[]
}

/** Ids of what was put in, in the given order. */
export interface SeedIds {
  readonly contacts: readonly string[]
  readonly companies: readonly string[]
  readonly owners: readonly string[]
}

/** Puts records and owners into the account, under the same rules as the API. */
export function seedPortal(state: PortalState, data: SeedData, autoCreate: boolean): SeedIds {
  return state.transact(() => {
    const owners = (data.owners ?? []).map((given) => {
      const owner = makeOwner(state.owners.size, given)
      state.apply({ op: 'owner', owner })
      return owner.id
    })
    const companies = create(state, 'companies', data.companies ?? [])
    const contacts = create(state, 'contacts', data.contacts ?? [])
    for (const { contact, company } of data.employments ?? []) {
      const from = contacts[contact]
      const to = companies[company]
      if (from === undefined || to === undefined) throw new Error('no such seeded record')
      link(state, { type: 'contacts', id: from }, { type: 'companies', id: to }, 279)
    }
    if (autoCreate) for (const id of contacts) createCompanyOf(state, id)
    return { contacts, companies, owners }
  })
}

function create(state: PortalState, type: ObjectType, records: readonly Properties[]): string[] {
  const plan = new WritePlan(state, type)
  return records.map((properties) => {
    const planned = plan.create(properties)
    applyPlanned(state, type, planned, 'CRM_UI')
    return planned.id
  })
}
