import type { ValueProblem } from './hubspot-error.ts'
import type { PropertyDefinition } from './property-definition.ts'

const MAX_LENGTH = 65_536
const DAY_MS = 86_400_000
const numberForm = /^-?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?$/
const epochForm = /^-?\d{1,16}$/
const dateForm = /^\d{4}-\d{2}-\d{2}$/
const instantForm = /^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}(:\d{2}(\.\d{1,9})?)?(Z|[+-]\d{2}:?\d{2})$/
const emailForm =
  /^[^\s@<>(),;:"[\]\\]+@[a-z0-9]([a-z0-9-]*[a-z0-9])?(\.[a-z0-9]([a-z0-9-]*[a-z0-9])?)*\.[a-z]{2,}$/

/** What a value rule may ask about the account. */
export interface ValueContext {
  /** The value held now, for `;`-appending check boxes. */
  readonly current: string | undefined
  readonly isOwner: (id: string) => boolean
}

/** The value as it is stored, or why it is refused. An empty string clears and is always fine. */
export function readValue(
  definition: PropertyDefinition,
  raw: string,
  context: ValueContext,
): string | ValueProblem {
  if (raw === '') return ''
  if (raw.length > MAX_LENGTH) {
    const message = `Property ${definition.name} is longer than ${MAX_LENGTH} characters`
    return { name: definition.name, error: 'VALUE_TOO_LONG', message }
  }
  switch (definition.type) {
    case 'number':
      return readNumber(definition, raw)
    case 'bool':
      return oneOf(definition, raw, ['true', 'false'])
    case 'date':
      return readDate(definition, raw)
    case 'datetime':
      return readInstant(definition, raw)
    case 'enumeration':
      return readOptions(definition, raw, context)
    default:
      return raw
  }
}

/** Whether HubSpot takes this as an e-mail address; expects it trimmed and in lower case. */
export function isEmail(value: string): boolean {
  return value.length <= 254 && emailForm.test(value)
}

function readNumber({ name }: PropertyDefinition, raw: string): string | ValueProblem {
  if (numberForm.test(raw)) return raw
  return { name, error: 'INVALID_INTEGER', message: `${name} was not a valid number` }
}

function readDate({ name }: PropertyDefinition, raw: string): string | ValueProblem {
  const ms = dateForm.test(raw)
    ? Date.parse(`${raw}T00:00:00.000Z`)
    : epochForm.test(raw)
      ? Number(raw)
      : Number.NaN
  const date = new Date(ms)
  if (Number.isNaN(date.getTime()) || (dateForm.test(raw) && !date.toISOString().startsWith(raw))) {
    return { name, error: 'INVALID_DATE', message: `${raw} was not a valid date.` }
  }
  if (ms % DAY_MS !== 0) {
    const time = date.toISOString().slice(11, 19)
    return { name, error: 'INVALID_DATE', message: `${raw} is at ${time} UTC, not midnight!` }
  }
  return date.toISOString().slice(0, 10)
}

function readInstant({ name }: PropertyDefinition, raw: string): string | ValueProblem {
  const ms = epochForm.test(raw)
    ? Number(raw)
    : instantForm.test(raw)
      ? Date.parse(raw)
      : Number.NaN
  const date = new Date(ms)
  if (Number.isNaN(date.getTime())) {
    return { name, error: 'INVALID_LONG', message: `${raw} was not a valid long.` }
  }
  return date.toISOString()
}

function readOptions(
  definition: PropertyDefinition,
  raw: string,
  context: ValueContext,
): string | ValueProblem {
  const { name, options } = definition
  if (definition.referencedObjectType === 'OWNER') {
    if (context.isOwner(raw)) return raw
    return { name, error: 'INVALID_OWNER_ID', message: `Owner ${raw} does not exist` }
  }
  if (definition.externalOptions) return raw
  const allowed = options.map(({ value }) => value)
  if (definition.fieldType !== 'checkbox') return oneOf(definition, raw, allowed)
  const wanted = raw.split(';').filter((value) => value !== '')
  for (const value of wanted) {
    const checked = oneOf(definition, value, allowed)
    if (typeof checked !== 'string') return checked
  }
  const kept = raw.startsWith(';') ? (context.current ?? '').split(';').filter(Boolean) : []
  return [...new Set([...kept, ...wanted])].join(';')
}

function oneOf(
  { name }: PropertyDefinition,
  raw: string,
  allowed: readonly string[],
): string | ValueProblem {
  if (allowed.includes(raw)) return raw
  const message = `${raw} was not one of the allowed options: [${allowed.join(', ')}]`
  return { name, error: 'INVALID_OPTION', message }
}
