/** One entry of `errors[]` in an error body. */
export interface ErrorDetail {
  readonly message: string
  readonly code?: string
  readonly in?: string
  readonly context?: Readonly<Record<string, readonly string[]>>
}

/** What a refused value looks like in the JSON array that HubSpot embeds in `message`. */
export interface ValueProblem {
  readonly name: string
  readonly error: string
  readonly message: string
}

interface ErrorExtras {
  readonly subCategory?: string
  readonly context?: Readonly<Record<string, readonly string[]>>
  readonly errors?: readonly ErrorDetail[]
}

/** The account this stand-in plays. */
export const PORTAL_ID = 4242424

/** A refusal in HubSpot's own words; the correlation id is added when it is answered. */
export class HubspotError extends Error {
  readonly status: number
  readonly category: string
  readonly extras: ErrorExtras

  constructor(status: number, category: string, message: string, extras: ErrorExtras = {}) {
    super(message)
    this.status = status
    this.category = category
    this.extras = extras
  }

  /** The error as a batch answer lists it, without a correlation id. */
  toEntry(context: Readonly<Record<string, readonly string[]>> = {}): Record<string, unknown> {
    return {
      status: 'error',
      category: this.category,
      message: this.message,
      ...(this.extras.subCategory === undefined ? {} : { subCategory: this.extras.subCategory }),
      context: { ...this.extras.context, ...context },
    }
  }

  /** The error as the whole body of an answer. */
  toBody(correlationId: string): Record<string, unknown> {
    return {
      status: 'error',
      message: this.message,
      correlationId,
      ...this.extras,
      category: this.category,
    }
  }
}

export function invalid(message: string, extras: ErrorExtras = {}): HubspotError {
  return new HubspotError(400, 'VALIDATION_ERROR', message, extras)
}

export function notFound(message: string, extras: ErrorExtras = {}): HubspotError {
  return new HubspotError(404, 'OBJECT_NOT_FOUND', message, extras)
}

export function contactExists(id: string): HubspotError {
  return new HubspotError(409, 'CONFLICT', `Contact already exists. Existing ID: ${id}`)
}

export function invalidJson(detail: string): HubspotError {
  return invalid(`Invalid input JSON on line 1, column 1: ${detail}`)
}

/** Refused values are told twice: as an array inside `message` and in `errors[]`. */
export function invalidValues(problems: readonly ValueProblem[]): HubspotError {
  const embedded = problems.map(({ name, error, message }) => ({
    isValid: false,
    message,
    error,
    name,
    localizedErrorMessage: message,
    portalId: PORTAL_ID,
  }))
  return invalid(`Property values were not valid: ${JSON.stringify(embedded)}`, {
    errors: problems.map(({ name, error, message }) => ({
      message,
      code: error,
      context: { propertyName: [name] },
    })),
  })
}
