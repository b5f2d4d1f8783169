/** One error of a call, or of one record of it. */
export interface ErrorItem {
  readonly message: string
  readonly errorCode: string
  readonly fields?: readonly string[]
  /** Only for duplicates; this is how the body spells it. */
  readonly duplicateResut?: unknown
}

/** What a call is refused with as a whole: a list of errors under one status. */
export class SalesforceError extends Error {
  readonly status: number
  readonly items: readonly ErrorItem[]

  constructor(status: number, errorCode: string, message: string, fields?: readonly string[]) {
    super(message)
    this.status = status
    this.items = [{ message, errorCode, ...(fields === undefined ? {} : { fields }) }]
  }

  toBody(): unknown {
    return this.items
  }
}

/** Why one record was not saved. Answers alone when it was the only one, in its row otherwise. */
export class RowError extends Error {
  readonly errorCode: string
  readonly fields: readonly string[]
  readonly duplicateResult: unknown

  constructor(
    errorCode: string,
    message: string,
    fields: readonly string[] = [],
    duplicateResult?: unknown,
  ) {
    super(message)
    this.errorCode = errorCode
    this.fields = fields
    this.duplicateResult = duplicateResult
  }

  /** As a call about a single record answers it. */
  toItem(): ErrorItem {
    const { message, errorCode, fields, duplicateResult } = this
    if (duplicateResult !== undefined)
      return { duplicateResut: duplicateResult, errorCode, message }
    return { message, errorCode, fields }
  }
}

export function notFound(message = 'The requested resource does not exist'): SalesforceError {
  return new SalesforceError(404, 'NOT_FOUND', message)
}

export function badRequest(errorCode: string, message: string): SalesforceError {
  return new SalesforceError(400, errorCode, message)
}
