import type { Response } from 'express'
import type { FaultRule } from './fault-script.ts'

/** What a vendor's endpoint answers. */
export interface ApiReply {
  readonly status: number
  /** Absent for an empty answer; a text is sent as it is, anything else as JSON. */
  readonly body?: unknown
  readonly headers?: Readonly<Record<string, string>>
}

/** Writes a reply to the wire, whole or, for `half-body`, with a connection that breaks midway. */
export function sendReply(
  res: Response,
  reply: ApiReply,
  headers: Readonly<Record<string, string>>,
  kind: FaultRule['kind'],
): void {
  res.status(reply.status)
  for (const [name, value] of Object.entries({ ...headers, ...reply.headers })) {
    res.setHeader(name, value)
  }
  if (reply.body === undefined) {
    res.end()
    return
  }
  const isText = typeof reply.body === 'string'
  const bytes = Buffer.from(isText ? String(reply.body) : JSON.stringify(reply.body))
  if (!res.hasHeader('content-type')) {
    res.setHeader(
      'content-type',
      isText ? 'text/html; charset=utf-8' : 'application/json;charset=utf-8',
    )
  }
  res.setHeader('content-length', bytes.length)
  if (kind !== 'half-body') {
    res.end(bytes)
    return
  }
  res.write(bytes.subarray(0, Math.floor(bytes.length / 2)), () => res.destroy())
}
