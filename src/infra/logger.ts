import { type DestinationStream, type Logger, pino } from 'pino'

export type { DestinationStream, Logger }

/**
 * Logs to stderr (stdout belongs to the answer of a command): JSON lines, or readable on a terminal.
 * `target` takes JSON lines in its place. What could hold a secret or a person is cut out by key, should it ever be passed in.
 */
export function createLogger(level: string, target?: DestinationStream): Logger {
  const options = {
    level,
    base: null,
    redact: {
      paths: [
        'email',
        'token',
        'authorization',
        'body',
        'headers',
        'properties',
        '*.email',
        '*.token',
      ],
      remove: true,
    },
  }
  if (target) return pino(options, target)
  if (process.stderr.isTTY) {
    return pino({
      ...options,
      transport: { target: 'pino-pretty', options: { destination: 2, ignore: 'pid,hostname' } },
    })
  }
  return pino(options, pino.destination({ dest: 2, sync: true }))
}
