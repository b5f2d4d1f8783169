import { ConfigError, isSyncFailure } from '../../core/errors.ts'
import { safeError } from '../../infra/safe-error.ts'

/** Prints what went wrong and sets the exit code: 2 for wrong use or configuration, else 1. */
export function reportFailure(error: unknown): void {
  process.stderr.write(`ripen: ${isSyncFailure(error) ? error.message : describeBug(error)}\n`)
  process.exitCode = error instanceof ConfigError ? 2 : 1
}

function describeBug(error: unknown): string {
  const { name, code, message, frames } = safeError(error)
  const head = `unexpected ${name}${code ? ` (${code})` : ''}: ${message}`
  return [head, ...frames.map((frame) => `    ${frame}`)].join('\n')
}
