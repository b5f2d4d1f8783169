import type { AssociationEnd } from './association-graph.ts'
import { invalid } from './hubspot-error.ts'
import { type AssociationKind, associationKinds, OBJECT_TYPES } from './object-types.ts'
import { type PortalState, reverseOf } from './portal-state.ts'

const CATEGORY = 'HUBSPOT_DEFINED'
const COMPANY_OF_CONTACT = 279
const PRIMARY_COMPANY = 1
const PRIMARY_CONTACT = 2

/** The kind of association with this type id between two objects. */
export function kindBetween(
  from: AssociationEnd['type'],
  to: AssociationEnd['type'],
  typeId: unknown,
): AssociationKind {
  const kind = associationKinds(from, to).find((candidate) => candidate.typeId === typeId)
  if (kind !== undefined) return kind
  throw invalid(
    `Association type id ${String(typeId)} doesn't exist between ${OBJECT_TYPES[from].typeId} and ${OBJECT_TYPES[to].typeId}`,
  )
}

/** Associates two records; a contact always has one primary company among its companies. */
export function link(
  state: PortalState,
  from: AssociationEnd,
  to: AssociationEnd,
  typeId: number,
): void {
  if (from.type === 'companies' && to.type === 'contacts') {
    linkCompany(state, to, from, typeId === PRIMARY_CONTACT)
    return
  }
  if (from.type === 'contacts' && to.type === 'companies') {
    linkCompany(state, from, to, typeId === PRIMARY_COMPANY)
    return
  }
  put(state, from, to, typeId)
}

/** Takes away one kind of association, or every kind without `typeId`. */
export function unlink(
  state: PortalState,
  from: AssociationEnd,
  to: AssociationEnd,
  typeId?: number,
): void {
  if (state.associations.links(from, to).length === 0) return
  const kind =
    typeId === undefined ? {} : { typeId, reverseTypeId: reverseOf(from.type, to.type, typeId) }
  state.apply({ op: 'dissociate', from, to, ...kind })
}

function linkCompany(
  state: PortalState,
  contact: AssociationEnd,
  company: AssociationEnd,
  primary: boolean,
): void {
  put(state, contact, company, COMPANY_OF_CONTACT)
  const current = state.associations
    .neighbours(contact, 'companies')
    .find(({ links }) => links.some(({ typeId }) => typeId === PRIMARY_COMPANY))
  if (current !== undefined && (!primary || current.id === company.id)) return
  if (current !== undefined) {
    unlink(state, contact, { type: 'companies', id: current.id }, PRIMARY_COMPANY)
  }
  put(state, contact, company, PRIMARY_COMPANY)
  state.apply({
    op: 'write',
    object: 'contacts',
    write: {
      id: contact.id,
      set: {},
      system: { associatedcompanyid: company.id },
      source: 'ASSOCIATIONS',
    },
  })
}

function put(state: PortalState, from: AssociationEnd, to: AssociationEnd, typeId: number): void {
  if (state.associations.links(from, to).some((held) => held.typeId === typeId)) return
  const reverseTypeId = reverseOf(from.type, to.type, typeId)
  state.apply({ op: 'associate', from, to, link: { typeId, category: CATEGORY }, reverseTypeId })
}
