import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { Express } from 'express'
import { ConfigError } from '../../core/errors.ts'
import type { Config } from '../../infra/config.ts'

export interface ApiServer {
  readonly url: string
  close(): Promise<void>
}

const LOOPBACK = new Set(['127.0.0.1', '::1', 'localhost'])

/**
 * Refuses to serve people's data to a network without a token.
 * @throws {ConfigError} naming the variable.
 */
export function checkExposure(config: Pick<Config, 'RIPEN_HOST' | 'RIPEN_API_TOKEN'>): void {
  if (LOOPBACK.has(config.RIPEN_HOST) || config.RIPEN_API_TOKEN) return
  throw new ConfigError(
    `RIPEN_HOST=${config.RIPEN_HOST} is reachable from other machines; set RIPEN_API_TOKEN (16 characters at least), or leave RIPEN_HOST out`,
  )
}

/**
 * Listens where the configuration says.
 * @throws {ConfigError} when the port is taken or the address is not ours.
 */
export async function listenApi(app: Express, config: Config): Promise<ApiServer> {
  checkExposure(config)
  const server = createServer(app)
  await new Promise<void>((resolve, reject) => {
    server.once('error', (cause) => {
      const place = `${config.RIPEN_HOST}:${config.RIPEN_PORT}`
      reject(
        new ConfigError(
          `cannot listen on ${place} (${cause.message}); check RIPEN_HOST and RIPEN_PORT`,
          { cause },
        ),
      )
    })
    server.listen(config.RIPEN_PORT, config.RIPEN_HOST, resolve)
  })
  const { port, address, family } = server.address() as AddressInfo
  const host = family === 'IPv6' ? `[${address}]` : address
  return {
    url: `http://${host}:${port}`,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve())
        server.closeIdleConnections()
      }),
  }
}
