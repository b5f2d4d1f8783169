import type { Request, Response } from 'express'

/** The hours or days that a request asks for, as it wrote them. */
export interface AskedRange {
  readonly from: string
  readonly to: string
}

/** One request as the stand-in saw it. `status` is 0 while, or because, it got no answer. */
export interface UsageCall {
  readonly method: string
  readonly path: string
  readonly status: number
  readonly range: AskedRange | null
}

/** Every request in the order of arrival. */
export interface CallLog {
  note(req: Request, res: Response, range: AskedRange | null): void
  list(): readonly UsageCall[]
  reset(): void
}

/** Starts an empty log. A status shows as soon as its headers are sent. */
export function createCallLog(): CallLog {
  let entries: { method: string; path: string; range: AskedRange | null; status(): number }[] = []
  return {
    note(req, res, range) {
      const entry = {
        method: req.method,
        path: req.path,
        range,
        status: () => (res.headersSent ? res.statusCode : 0),
      }
      entries.push(entry)
      res.once('close', () => {
        const last = entry.status()
        entry.status = () => last
      })
    },
    list: () => entries.map((entry) => ({ ...entry, status: entry.status() })),
    reset() {
      entries = []
    },
  }
}
