import { z } from 'zod'
import type { CrmDealState } from '../../../src/core/ports/crm.ts'
import { type Session, sendForListing } from './session.ts'

/** By id of the stage; ids of stages are unique in an account. */
export type Pipelines = ReadonlyMap<
  string,
  { readonly pipeline: string; readonly label: string; readonly state: CrmDealState }
>

const text = z.union([z.string(), z.number(), z.boolean()]).transform(String)
const stageShape = z.object({
  id: text,
  label: text.catch(''),
  metadata: z
    .object({ isClosed: text.optional(), probability: text.optional() })
    .catch({ isClosed: undefined, probability: undefined }),
})
const pipelineShape = z.object({ id: text, stages: z.array(stageShape).catch([]) })

/** The stages of all pipelines of deals, and which of them mean that a deal is won or lost. */
export async function readPipelines(session: Session, signal: AbortSignal): Promise<Pipelines> {
  const { results } = await sendForListing(
    session,
    {
      kind: 'read',
      endpoint: 'GET pipelines/deals',
      invoke: (options) => session.apis.pipelines.getAll('deals', options),
    },
    (item) => pipelineShape.safeParse(item).data ?? null,
    signal,
  )
  return new Map(
    results.flatMap((pipeline) =>
      pipeline.stages.map(({ id, label, metadata }) => {
        const state = stateOf(metadata.isClosed, metadata.probability)
        return [id, { pipeline: pipeline.id, label: label || id, state }] as const
      }),
    ),
  )
}

/** A closed stage is won at a probability of one and lost at any other. */
function stateOf(isClosed: string | undefined, probability: string | undefined): CrmDealState {
  const chance = Number.parseFloat(probability ?? '')
  if (isClosed === undefined) return chance === 1 ? 'won' : chance === 0 ? 'lost' : 'open'
  if (isClosed.toLowerCase() !== 'true') return 'open'
  return chance === 1 ? 'won' : 'lost'
}
