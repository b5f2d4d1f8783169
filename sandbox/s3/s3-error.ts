import { randomUUID } from 'node:crypto'
import type { Response } from 'express'

/** An error as S3 says it. */
export interface S3Error {
  readonly status: number
  readonly code: string
  readonly message: string
}

export function sendError(res: Response, { status, code, message }: S3Error): void {
  const requestId = randomUUID()
  res.status(status).set({ 'content-type': 'application/xml', 'x-amz-request-id': requestId })
  res.send(
    `${XML}<Error><Code>${code}</Code><Message>${escapeXml(message)}</Message><RequestId>${requestId}</RequestId></Error>`,
  )
}

export const XML = '<?xml version="1.0" encoding="UTF-8"?>\n'

export const escapeXml = (text: string): string =>
  text.replace(/[<>&"']/g, (c) => `&#${c.charCodeAt(0)};`)
