import express, { type NextFunction, type Request, type Response } from 'express'

/** One property in one write of a record, as it stood on the wire. */
export interface PropertyWrite {
  /** What names the record there: its CRM id, or our own id. */
  readonly record: string
  readonly property: string
}

interface BatchBody {
  readonly inputs?: readonly {
    readonly id: string
    readonly properties?: Readonly<Record<string, unknown>>
  }[]
}

/** Counts what is written into a CRM, by record and property, whether the value was another one or not. */
export class PropertyWrites {
  readonly #counts = new Map<string, number>()

  /** To be mounted before the stand-in. */
  readonly handlers = [
    express.text({ type: () => true, limit: '20mb' }),
    (request: Request, response: Response, next: NextFunction) => {
      const isWrite = /\/(contacts|companies|0-1|0-2)\/batch\/(update|upsert)$/.test(request.path)
      if (isWrite) {
        const body = String(request.body)
        response.once('finish', () => response.statusCode < 300 && this.#note(body))
      }
      next()
    },
  ]

  #note(body: string): void {
    const { inputs = [] } = JSON.parse(body) as BatchBody
    for (const { id, properties = {} } of inputs) {
      for (const property of Object.keys(properties)) {
        const key = `${id} ${property}`
        this.#counts.set(key, (this.#counts.get(key) ?? 0) + 1)
      }
    }
  }

  /** How often a property was written, under any of the names of its record. */
  of(records: readonly string[], property: string): number {
    return records.reduce((sum, id) => sum + (this.#counts.get(`${id} ${property}`) ?? 0), 0)
  }
}
