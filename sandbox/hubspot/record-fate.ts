import type { ApiReply } from '../reply-sender.ts'
import { type ApiCall, type ApiEndpoint, bodyObject, readId } from './api-endpoint.ts'
import { notFound } from './hubspot-error.ts'
import type { ObjectType } from './object-types.ts'
import type { PortalState } from './portal-state.ts'
import { findOne } from './record-lookup.ts'
import { applyPlanned, WritePlan } from './write-plan.ts'

/** Changes values as a person would, under the same rules as the API. */
export function editRecord(
  state: PortalState,
  type: ObjectType,
  id: string,
  properties: unknown,
): void {
  const record = state.table(type).resolve(id)
  if (record === undefined) throw notFound('resource not found')
  const planned = new WritePlan(state, type).update(record, properties)
  state.transact(() => applyPlanned(state, type, planned, 'CRM_UI'))
}

/** Puts a deleted record into the recycle bin, or takes it out of it. */
export function binRecord(
  state: PortalState,
  type: ObjectType,
  id: string,
  op: 'archive' | 'unarchive',
): void {
  state.transact(() => state.apply({ op, object: type, id }))
}

/** Deletes a contact for good, with everything that was known of it. */
export function eraseContact(state: PortalState, id: string): void {
  const end = { type: 'contacts', id } as const
  state.transact(() => {
    for (const { from, to } of state.associations.of(end)) {
      state.apply({ op: 'dissociate', from, to })
    }
    state.apply({ op: 'purge', object: 'contacts', id })
  })
}

/** `POST …/contacts/gdpr-delete`: by record id, or by another property that identifies one. */
export function privacyEndpoint(state: PortalState): ApiEndpoint {
  return {
    method: 'post',
    path: '/crm/v3/objects/contacts/gdpr-delete',
    kind: 'write',
    handle: (call: ApiCall): ApiReply => {
      const body = bodyObject(call)
      const idProperty = typeof body['idProperty'] === 'string' ? body['idProperty'] : null
      const record = findOne(state, 'contacts', readId(body['objectId']), idProperty)
      if (record !== undefined) eraseContact(state, record.id)
      return { status: 204 }
    },
  }
}
