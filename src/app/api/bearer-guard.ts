import type { RequestHandler } from 'express'
import { secretCheck } from './secret-check.ts'

/** Lets nobody in without the token; lets everybody in when there is none (then we are on loopback). */
export function bearerGuard(token: string | undefined): RequestHandler {
  if (!token) return loopbackOnly
  const isToken = secretCheck(token)
  return (request, response, next) => {
    const [scheme, given] = (request.headers.authorization ?? '').split(' ')
    if (scheme?.toLowerCase() === 'bearer' && given && isToken(given)) {
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
