import { isObject } from './api-endpoint.ts'
import { lifecycleRank } from './default-properties.ts'
import { invalidJson, invalidValues, type ValueProblem } from './hubspot-error.ts'
import { ignoresUnknown, type ObjectType } from './object-types.ts'
import type { PortalState } from './portal-state.ts'
import type { StoredRecord } from './stored-record.ts'
import { isEmail, readValue } from './value-rules.ts'

/**
 * The written properties as they will be stored. Contacts and companies refuse unknown and
 * read-only properties, tasks and what people log ignore them.
 */
export function checkProperties(
  state: PortalState,
  type: ObjectType,
  properties: unknown,
  record: StoredRecord | undefined,
): Record<string, string> {
  if (properties === undefined || properties === null) return {}
  if (!isObject(properties)) throw invalidJson('properties is not an object')
  const set: Record<string, string> = {}
  const problems: ValueProblem[] = []
  for (const [name, value] of Object.entries(properties)) {
    const checked = checkProperty(state, type, name, textOf(value), record)
    if (typeof checked === 'string') set[name] = checked
    else if (checked !== undefined) problems.push(checked)
  }
  if (problems.length > 0) throw invalidValues(problems)
  return set
}

/** The host name in a company's domain, however it was written. */
export function normalDomain(value: string): string {
  const bare = value
    .trim()
    .toLowerCase()
    .replace(/^[a-z]+:\/\//, '')
  return (bare.split(/[/?#:]/)[0] ?? '').replace(/^www\./, '')
}

function checkProperty(
  state: PortalState,
  type: ObjectType,
  name: string,
  raw: string,
  record: StoredRecord | undefined,
): string | ValueProblem | undefined {
  const definition = state.properties(type).get(name)
  if (definition === undefined || definition.archived) {
    if (ignoresUnknown(type)) return undefined
    const message = `Property "${name}" does not exist`
    return { name, error: 'PROPERTY_DOESNT_EXIST', message }
  }
  if (definition.modificationMetadata.readOnlyValue) {
    if (ignoresUnknown(type)) return undefined
    const message = `"${name}" is a read only property; its value cannot be set.`
    return { name, error: 'READ_ONLY_VALUE', message }
  }
  if (type === 'contacts' && name === 'email') return checkEmail(raw)
  if (type === 'companies' && name === 'domain') return normalDomain(raw)
  if (type === 'tasks' && name === 'hs_task_reminders') return checkReminder(raw)
  const current = record?.properties[name]
  const value = readValue(definition, raw, {
    current,
    isOwner: (id) => state.owners.has(id),
  })
  if (typeof value === 'string') {
    const broken = state.rules.problemOf(type, name, value)
    if (broken !== undefined) return broken
  }
  return name === 'lifecyclestage' && isStepBack(value, current) ? undefined : value
}

/** Reminders are epoch milliseconds and nothing else. */
function checkReminder(raw: string): string | ValueProblem {
  if (raw === '' || /^\d{13}$/.test(raw)) return raw
  const message = `${raw} was not a valid long.`
  return { name: 'hs_task_reminders', error: 'INVALID_LONG', message }
}

function checkEmail(raw: string): string | ValueProblem {
  const email = raw.trim().toLowerCase()
  if (email === '' || isEmail(email)) return email
  return { name: 'email', error: 'INVALID_EMAIL', message: `Email address ${raw} is invalid` }
}

/** HubSpot quietly keeps the later stage. */
function isStepBack(value: unknown, current: string | undefined): boolean {
  if (typeof value !== 'string' || value === '' || current === undefined) return false
  return lifecycleRank(value) < lifecycleRank(current)
}

function textOf(value: unknown): string {
  if (value === null) return ''
  if (typeof value === 'string') return value
  if (typeof value === 'number' || typeof value === 'boolean') return String(value)
  throw invalidJson('Cannot deserialize value of type `java.lang.String` from Object value')
}
