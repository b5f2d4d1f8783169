import type { NextFunction, Request, Response } from 'express'

const LOOPBACK_PEER = /^(127\.|::1$|::ffff:127\.)/
const LOOPBACK_HOST = /^(localhost|127\.0\.0\.1|\[::1\])(:\d+)?$/i

/** Lets through who sits at this machine; a page that was pointed at us by its host name does not. */
export function loopbackOnly(req: Request, res: Response, next: NextFunction): void {
  const isHere = LOOPBACK_PEER.test(req.socket.remoteAddress ?? '')
  if (isHere && LOOPBACK_HOST.test(req.headers.host ?? '') && !req.headers.origin) next()
  else res.status(403).json({ message: 'from this machine only' })
}
