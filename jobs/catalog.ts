import { z } from 'zod'
import type { Step } from '../src/infra/postgres/work.ts'
import type { StepHandler } from './context.ts'
import { assistReconcile } from './steps/assist-reconcile.ts'
import { desire } from './steps/desire.ts'
import { forget } from './steps/forget.ts'
import { identity } from './steps/identity.ts'
import { listen } from './steps/listen.ts'
import { outbound } from './steps/outbound.ts'
import { pull } from './steps/pull.ts'
import { rebuild } from './steps/rebuild.ts'
import { reconcile } from './steps/reconcile.ts'
import { rollup } from './steps/rollup.ts'
import { score } from './steps/score.ts'
import { stage } from './steps/stage.ts'

/** What a job carries: which row of `work` to look at. Never a record. */
export const jobSchema = z.strictObject({ key: z.string().min(1) })
export type JobData = z.output<typeof jobSchema>

export interface JobEntry {
  /** Pulls, what streams in, usage, scores and each CRM have a queue each: a pause stops a whole queue. */
  readonly queue: (key: string) => string
  readonly attempts: number
  readonly backoffMs: number
  readonly handler: StepHandler
  /** What is done by who finds the row taken; absent: nothing. */
  readonly assist?: StepHandler
}

const pulls = () => 'pulls'
const streams = () => 'stream'
const usage = () => 'usage'
const scores = () => 'scores'

/** Every job that there is; a step without an entry does not compile. */
export const CATALOG: Readonly<Record<Step, JobEntry>> = {
  forget: { queue: usage, attempts: 3, backoffMs: 500, handler: forget },
  pull: { queue: pulls, attempts: 4, backoffMs: 500, handler: pull },
  stage: { queue: streams, attempts: 4, backoffMs: 500, handler: stage },
  rollup: { queue: usage, attempts: 3, backoffMs: 500, handler: rollup },
  identity: { queue: usage, attempts: 3, backoffMs: 500, handler: identity },
  score: { queue: scores, attempts: 3, backoffMs: 500, handler: score },
  desire: { queue: scores, attempts: 3, backoffMs: 500, handler: desire },
  reconcile: {
    ...{ queue: (crm) => `crm-${crm}`, attempts: 4, backoffMs: 500 },
    ...{ handler: reconcile, assist: assistReconcile },
  },
  listen: { queue: (crm) => `listen-${crm}`, attempts: 4, backoffMs: 500, handler: listen },
  outbound: { queue: () => 'outbound', attempts: 3, backoffMs: 500, handler: outbound },
  rebuild: { queue: usage, attempts: 3, backoffMs: 500, handler: rebuild },
}
