import type { Response } from 'express'

/** An error as RFC 9457 describes it. */
export function problem(response: Response, status: number, detail: string): void {
  response.status(status).type('application/problem+json').json({ status, detail })
}
