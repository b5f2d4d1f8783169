import { createHash, timingSafeEqual } from 'node:crypto'
import type { RequestHandler } from 'express'

/** Lets nobody in without the token; lets everybody in when there is none (then we are on loopback). */
export function bearerGuard(token: string | undefined): RequestHandler {
  if (!token) return loopbackOnly
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

/** Host names under which a browser on this machine means this machine. */
const LOOPBACK_HOST = /^(localhost|127\.0\.0\.1|\[::1\])(:\d+)?$/i

/** Without a token we are on loopback; a foreign host name is a page that was pointed at us (DNS rebinding). */
const loopbackOnly: RequestHandler = (request, response, next) => {
  if (LOOPBACK_HOST.test(request.headers.host ?? '')) {
    next()
    return
  }
  const detail = 'call this address by localhost, or set RIPEN_API_TOKEN'
  response.status(403).type('application/problem+json').json({ status: 403, detail })
}

function digest(text: string): Buffer {
  return createHash('sha256').update(text).digest()
}
