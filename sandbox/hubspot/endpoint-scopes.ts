import { HubspotError } from './hubspot-error.ts'
import { readObjectType } from './object-types.ts'

/** Throws the refusal when none of the scopes that let somebody make this call is among these. */
export function requireScope(scopes: readonly string[] | null, method: string, path: string): void {
  if (scopes === null) return
  const accepted = acceptedScopes(method, path)
  if (accepted === null || accepted.some((scope) => scopes.includes(scope))) return
  const message =
    "This app hasn't been granted all required scopes to make this call. Read more about required scopes here: https://developers.hubspot.com/scopes."
  throw new HubspotError(403, 'MISSING_SCOPES', message, {
    errors: [
      {
        message: 'One or more of the following scopes are required.',
        context: { requiredGranularScopes: accepted },
      },
    ],
  })
}

/** The scopes of which one is enough; null when none is needed. */
function acceptedScopes(method: string, path: string): readonly string[] | null {
  const [, root, version, area, first] = path.split('/')
  if (root === 'events') return ['analytics.behavioral_events.send']
  if (root !== 'crm' || version === undefined) return null
  const act = isRead(method, path) ? 'read' : 'write'
  switch (area) {
    case 'objects':
      if (readObjectType(first) === 'emails' && act === 'read') return ['sales-email-read']
      return [`crm.objects.${scopeName(first)}.${act}`]
    case 'associations':
      return [`crm.objects.${scopeName(first)}.${act}`]
    case 'lists':
      return [`crm.lists.${act}`]
    case 'owners':
      return ['crm.objects.owners.read']
    case 'properties':
    case 'property-validations': {
      const name = scopeName(first)
      const schema = `crm.schemas.${name}.${act}`
      return act === 'write' ? [schema] : [schema, `crm.objects.${name}.read`]
    }
    default:
      return null
  }
}

function isRead(method: string, path: string): boolean {
  return method === 'GET' || /\/(search|batch\/read)$/.test(path)
}

/** Tasks and what people log have no scope of their own. */
function scopeName(object: string | undefined): string {
  const type = readObjectType(object)
  return WITH_CONTACTS.has(type) ? 'contacts' : type
}

const WITH_CONTACTS: ReadonlySet<string> = new Set([
  ...['tasks', 'calls', 'emails', 'meetings', 'notes'],
])
