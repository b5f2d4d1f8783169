import type { Step } from '../src/infra/postgres/work.ts'

/** A row of `work`. */
export interface WorkKey {
  readonly step: Step
  readonly key: string
}

/**
 * The steps between what streamed in and a score, in order. Who has staged something takes it all the
 * way himself: handing it on from job to job would let it wait for what came before it at every step.
 */
export function streamPath(step: Step, key: string): readonly WorkKey[] {
  if (step !== 'stage') return []
  return [
    { step: 'rollup', key },
    { step: 'identity', key: 'all' },
    { step: 'score', key: 'all' },
  ]
}
