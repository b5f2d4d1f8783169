import { type Answer, type HubspotErrorBody, parseErrorBody } from './wire-shapes.ts'

/** Why HubSpot refused a call or one input of it, in parts that never hold a value of ours. */
export interface Refusal {
  readonly status: number
  readonly category: string | null
  readonly code: string | null
  readonly property: string | null
  readonly correlationId: string | null
  /** The record that is in the way (`Existing ID: N`, `N already has that value`). */
  readonly existingId: string | null
  /** HubSpot's own sentence: only for `describeRefusal`, which takes values out of it. */
  readonly vendorText: string
}

/** Our own code for an upsert by a property that is not unique, which HubSpot gives none. */
export const NON_UNIQUE_PROPERTY = 'NON_UNIQUE_PROPERTY'

const MAX_TEXT_CHARACTERS = 200

/** The refusal of a whole call. */
export function refusalOf(answer: Answer): Refusal {
  const correlationId = safeId(answer.headers['x-hubspot-correlation-id'])
  return refusalOfError(parseErrorBody(answer.body), answer.status, correlationId)
}

/** The refusal of one input, from the `errors` of a 207. */
export function refusalOfError(
  error: HubspotErrorBody,
  status: number,
  correlationId: string | null,
): Refusal {
  const detail = error.errors?.[0]
  const embedded = error.validationResults?.[0] ?? embeddedValidation(error.message ?? '')
  const property =
    detail?.context?.['propertyName']?.[0] ??
    embedded?.name ??
    error.context?.['propertyName']?.[0] ??
    error.context?.['properties']?.[0] ??
    detail?.in
  return {
    status,
    category: safeWord(error.category),
    code: safeWord(detail?.code ?? embedded?.error ?? codeOfSentence(error.message)),
    property: safeProperty(property),
    correlationId: safeId(error.correlationId) ?? correlationId,
    existingId: existingIdIn([error.message, detail?.message]),
    vendorText: detail?.message ?? embedded?.message ?? error.message ?? '',
  }
}

/** One line for a person: HubSpot's words without the values sent, then what identifies the refusal. */
export function describeRefusal(refusal: Refusal, sentValues: readonly string[]): string {
  const words = withoutValues(refusal.vendorText, sentValues)
  const facts = [
    refusal.property && `property ${refusal.property}`,
    refusal.code,
    refusal.category,
    `HTTP ${refusal.status}`,
  ].filter(Boolean)
  return `HubSpot refused it: ${words ? `${words} ` : ''}(${facts.join(', ')})`
}

/** Takes out every value sent, and whatever looks like an e-mail address, a number to call or a secret. */
export function withoutValues(vendorText: string, sentValues: readonly string[]): string {
  const prose = vendorText.split(/[[{]/, 1)[0] ?? ''
  const lowerCaseProse = prose.toLowerCase()
  const longestFirst = [...new Set(sentValues)]
    .filter((value) => value.trim() !== '' && lowerCaseProse.includes(value.toLowerCase()))
    .sort((a, b) => b.length - a.length)
  const withoutSent = longestFirst.reduce((words, value) => replaceWords(words, value), prose)
  return withoutSent
    .replace(/\S+@\S+/g, '…')
    .replace(/\+?\d[\d ().-]{5,}\d/g, '…')
    .replace(/\S{41,}/g, '…')
    .slice(0, MAX_TEXT_CHARACTERS)
    .trim()
}

function replaceWords(words: string, value: string): string {
  const escaped = value.replace(/[.*+?^${}()|[\]\\]/g, '\\$&')
  return words.replace(new RegExp(`(?<![\\p{L}\\p{N}])${escaped}(?![\\p{L}\\p{N}])`, 'giu'), '…')
}

/** `Property values were not valid: [{…}]`: some answers carry the detail only inside the message. */
function embeddedValidation(message: string) {
  const start = message.indexOf('[{')
  if (start < 0) return undefined
  try {
    const body = { validationResults: JSON.parse(message.slice(start)) as unknown }
    return parseErrorBody(body).validationResults?.[0]
  } catch {
    return undefined
  }
}

/** The one refusal that concerns the whole account and is told in a sentence only. */
function codeOfSentence(message = ''): string | undefined {
  return /\bby non-unique\b/.test(message) ? NON_UNIQUE_PROPERTY : undefined
}

function existingIdIn(messages: readonly (string | undefined)[]): string | null {
  for (const message of messages) {
    const match = /Existing ID: (\d{1,20})\b|\b(\d{1,20}) already has that value/i.exec(
      message ?? '',
    )
    if (match) return match[1] ?? match[2] ?? null
  }
  return null
}

function safeWord(word: string | undefined): string | null {
  return word !== undefined && /^[A-Z][A-Z0-9_]{1,79}$/.test(word) ? word : null
}

function safeProperty(name: string | undefined): string | null {
  return name !== undefined && /^[A-Za-z][A-Za-z0-9_]{0,99}$/.test(name) ? name : null
}

function safeId(id: string | undefined): string | null {
  return id !== undefined && /^[A-Za-z0-9-]{1,64}$/.test(id) ? id : null
}
