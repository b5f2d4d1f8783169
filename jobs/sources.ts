import { readPublished } from '../src/infra/mappings/published.ts'
import type { ConnectedSource, JobContext } from './context.ts'

/** Every source by name: those of the environment, and those that the published mapping declares. */
export async function allSources(
  context: Pick<JobContext, 'db' | 'sources' | 'declaredSource'>,
): Promise<ReadonlyMap<string, ConnectedSource>> {
  const { set } = await readPublished(context.db)
  const declared = [...set.sources].map(
    ([name, mapping]) => [name, context.declaredSource(name, mapping)] as const,
  )
  return new Map([...context.sources, ...declared])
}
