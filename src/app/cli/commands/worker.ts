import { startSchedule } from '../../../../jobs/schedule.ts'
import { startStreams } from '../../../../jobs/streams.ts'
import { STEPS } from '../../../infra/postgres/work.ts'
import type { App } from '../../compose.ts'
import { untilStopped } from '../until-stopped.ts'
import { type CommonOptions, print, printJson, withApp } from '../with-app.ts'

/** `ripen worker`: runs every job until it is told to stop. */
export async function workerCommand(options: CommonOptions): Promise<void> {
  await withApp({ ...options, ownsSignals: false, logLevel: 'info' }, async (app) => {
    const worker = startWorker(app)
    const sources = [...app.context.sources].filter(([, s]) => s.online).map(([name]) => name)
    const crms = [...app.context.crms].filter(([, c]) => c.connect).map(([name]) => name)
    // Before the first word: whoever reads it may stop us at once.
    const stopped = untilStopped()
    if (options.json) printJson({ sources, crms })
    else
      print(`Working; sources: ${sources.join(', ') || 'none'}, CRMs: ${crms.join(', ') || 'none'}`)
    await stopped
    await worker.stop()
  })
}

/** Works on all queues in this process, sweeps, and follows the streams of CRMs. */
export function startWorker({ engine, context }: App): { stop(): Promise<void> } {
  engine.start(STEPS, [...context.crms.keys()])
  const schedule = startSchedule(context, engine)
  const streams = startStreams(context, engine)
  return {
    async stop() {
      schedule.stop()
      await streams.stop()
    },
  }
}
