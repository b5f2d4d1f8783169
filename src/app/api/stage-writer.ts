import { setTimeout as sleep } from 'node:timers/promises'
import { stageEvents } from '../../infra/postgres/staging.ts'
import type { App } from '../compose.ts'
import { createWaker } from './waker.ts'

/** Stores events as they came; resolves once they are durable. */
export type StageWriter = (source: string, bodies: readonly string[]) => Promise<void>

interface Waiting {
  readonly bodies: readonly string[]
  readonly stored: () => void
  readonly failed: (error: unknown) => void
}

/** Where more comes while a statement runs, the next one waits for company. */
const GATHER_MS = 10

/**
 * One statement for each source at a time: what comes while it runs, and a moment later, is stored
 * together by the next. A quiet hour waits for nothing, a busy one pays for few commits.
 */
export function createStageWriter(app: App): StageWriter {
  const wake = createWaker(app, 'stage')
  const waiting = new Map<string, Waiting[]>()
  const drain = async (source: string, queue: Waiting[]) => {
    while (queue.length > 0) {
      const some = queue.splice(0)
      try {
        await stageEvents(
          app.context.db,
          source,
          some.flatMap(({ bodies }) => bodies),
        )
        for (const { stored } of some) stored()
        wake(source)
      } catch (error) {
        for (const { failed } of some) failed(error)
      }
      if (queue.length > 0) await sleep(GATHER_MS)
    }
    waiting.delete(source)
  }
  return (source, bodies) =>
    new Promise((stored, failed) => {
      const one = { bodies, stored, failed }
      const queue = waiting.get(source)
      if (queue) {
        queue.push(one)
        return
      }
      const fresh = [one]
      waiting.set(source, fresh)
      void drain(source, fresh)
    })
}
