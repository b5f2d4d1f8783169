import { invalid, notFound } from './hubspot-error.ts'
import { OBJECT_TYPE_NAMES, OBJECT_TYPES, type ObjectType } from './object-types.ts'
import type { PortalState } from './portal-state.ts'
import { link } from './record-linking.ts'
import type { StoredRecord } from './stored-record.ts'

/**
 * Merges two records into a new one, or into the primary one where the account is set up so, and returns the
 * id of that. The ids that are gone keep working on the single endpoints and stop working in batches. The primary record's values win; additional e-mails,
 * domains and all associations are kept.
 */
export function mergeRecords(
  state: PortalState,
  type: ObjectType,
  primaryId: string,
  mergedId: string,
): string {
  const table = state.table(type)
  const primary = table.resolve(primaryId)
  const other = table.resolve(mergedId)
  if (primary === undefined || other === undefined) throw notFound('resource not found')
  if (primary.id === other.id) throw invalid('A record cannot be merged with itself')
  const id = state.mergeKeepsId ? primary.id : table.reserveId()
  const gone = [primary, other].filter((record) => record.id !== id)
  const system = mergedProperties(state, type, id, primary, other)
  const set = writable(state, type, { ...other.properties, ...primary.properties })
  state.transact(() => {
    const links = gone.flatMap((record) => state.associations.of({ type, id: record.id }))
    for (const { from, to } of links) state.apply({ op: 'dissociate', from, to })
    for (const one of gone) state.apply({ op: 'redirect', object: type, id: one.id, into: id })
    state.apply({ op: 'write', object: type, write: { id, set, system, source: 'MERGE_OBJECTS' } })
    for (const { to, typeId } of links) {
      if (OBJECT_TYPE_NAMES.includes(to.type)) link(state, { type, id }, to, typeId)
    }
  })
  return id
}

function writable(
  state: PortalState,
  type: ObjectType,
  properties: Readonly<Record<string, string>>,
): Record<string, string> {
  return Object.fromEntries(
    Object.entries(properties).filter(
      ([name]) => !state.properties(type).get(name)?.modificationMetadata.readOnlyValue,
    ),
  )
}

function mergedProperties(
  state: PortalState,
  type: ObjectType,
  id: string,
  primary: StoredRecord,
  other: StoredRecord,
): Record<string, string> {
  const { createdProperty } = OBJECT_TYPES[type]
  const created = [primary.properties[createdProperty], other.properties[createdProperty]]
  const common = {
    [createdProperty]: created.filter((time) => time !== undefined).sort()[0] ?? '',
    hs_merged_object_ids: union(
      [primary.id, other.id].filter((one) => one !== id).join(';'),
      primary.properties['hs_merged_object_ids'],
      other.properties['hs_merged_object_ids'],
    ),
  }
  if (type === 'companies') {
    const { domain } = other.properties
    const second = domain === primary.properties['domain'] ? '' : domain
    return {
      ...common,
      hs_additional_domains: union(second, ...additional('domains', primary, other)),
    }
  }
  if (type !== 'contacts') return common
  const at = state.table(type).live(primary.id)?.updatedAt ?? 0
  const second = primary.properties['email'] === undefined ? '' : other.properties['email']
  return {
    ...common,
    hs_additional_emails: union(second, ...additional('emails', primary, other)),
    hs_calculated_merged_vids: `${primary.id}:${at};${other.id}:${at}`,
    hs_all_contact_vids: union([id, primary.id, other.id].join(';')),
    hs_email_domain:
      primary.properties['hs_email_domain'] ?? other.properties['hs_email_domain'] ?? '',
    hs_is_contact: 'true',
  }
}

function additional(
  what: 'emails' | 'domains',
  primary: StoredRecord,
  other: StoredRecord,
): (string | undefined)[] {
  const name = `hs_additional_${what}`
  return [primary.properties[name], other.properties[name]]
}

function union(...lists: readonly (string | undefined)[]): string {
  return [...new Set(lists.flatMap((list) => (list ?? '').split(';')).filter(Boolean))].join(';')
}
