import type { App } from '../compose.ts'

/** Requests that come together wake the step together. */
const GATHER_MS = 25

/**
 * Asks the step `stage` to look, a moment after something came. Whoever dies or fails here has lost
 * nothing: a worker's sweep looks for what is staged as well.
 */
export function createWaker({ engine, logger }: App): (source: string) => void {
  const waiting = new Set<string>()
  return (source) => {
    if (waiting.has(source)) return
    waiting.add(source)
    const wake = () => {
      waiting.delete(source)
      engine.touch('stage', source).catch((error: unknown) => {
        const kind = error instanceof Error ? error.name : typeof error
        logger.warn({ kind, source }, 'nobody was woken for what was staged; a sweep will be')
      })
    }
    setTimeout(wake, GATHER_MS).unref()
  }
}
