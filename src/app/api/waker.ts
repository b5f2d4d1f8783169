import type { Step } from '../../infra/postgres/work.ts'
import type { App } from '../compose.ts'

/** Requests that come together wake the step together. */
const GATHER_MS = 25

/**
 * Asks a step to look, a moment after something came for a key of it. Whoever dies or fails here has
 * lost nothing: a worker's sweep looks for what is stored as well.
 */
export function createWaker({ engine, logger }: App, step: Step): (key: string) => void {
  const waiting = new Set<string>()
  return (key) => {
    if (waiting.has(key)) return
    waiting.add(key)
    const wake = () => {
      waiting.delete(key)
      engine.touch(step, key).catch((error: unknown) => {
        const kind = error instanceof Error ? error.name : typeof error
        logger.warn({ kind, step, key }, 'nobody was woken for what came; a sweep will be')
      })
    }
    setTimeout(wake, GATHER_MS).unref()
  }
}
