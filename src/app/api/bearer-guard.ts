import { createHash, timingSafeEqual } from 'node:crypto'
import type { RequestHandler } from 'express'

/** Lets nobody in without the token; lets everybody in when there is none (then we are on loopback). */
export function bearerGuard(token: string | undefined): RequestHandler {
  if (!token) return (_request, _response, next) => next()
  const wanted = digest(token)
  return (request, response, next) => {
    const [scheme, given] = (request.headers.authorization ?? '').split(' ')
    // Digests have one length, so the comparison tells nothing about the token's.
    if (scheme?.toLowerCase() === 'bearer' && given && timingSafeEqual(digest(given), wanted)) {
      next()
      return
    }
    response.setHeader('www-authenticate', 'Bearer')
    const detail = 'send the token of RIPEN_API_TOKEN as Authorization: Bearer …'
    response.status(401).type('application/problem+json').json({ status: 401, detail })
  }
}

function digest(text: string): Buffer {
  return createHash('sha256').update(text).digest()
}
