import type { JobContext } from '../../jobs/context.ts'
import { edgeOf } from '../core/identity/graph.ts'
import { type JoinKind, joinKind } from '../core/identity/identity-node.ts'
import { readFacts } from '../infra/lake/facts-reader.ts'
import { readPublished } from '../infra/mappings/published.ts'
import { liveWindows } from '../infra/postgres/manifest.ts'

/** Two ids of one person, and where it was seen that they belong together. */
export interface Join {
  readonly a: string
  readonly b: string
  readonly source: string
  readonly over: JoinKind
  /** True where the vendor itself says that the two are one. */
  readonly declared: boolean
  readonly firstAt: string
  readonly lastAt: string
}

/** Where people's ids were seen together. */
export type Evidence = (nodes: readonly string[]) => Promise<readonly Join[]>

/** Reads the joins among the ids of one person from the lake. */
export function evidenceIn(
  context: Pick<JobContext, 'db' | 'duck' | 'lakeDir' | 'sources'>,
): Evidence {
  return async (nodes) => {
    const { set, usageHash } = await readPublished(context.db)
    const mapping = { usage: set.usage, usageHash }
    const own = new Set(nodes)
    const joins: Join[] = []
    for (const source of context.sources.keys()) {
      const prefix = `${source}/`
      const profiles = nodes.filter((n) => n.startsWith(prefix)).map((n) => n.slice(prefix.length))
      if (profiles.length === 0) continue
      const live = await liveWindows(context.db, source)
      const facts = await context.duck.connect((c) =>
        readFacts(c, context.lakeDir, source, live, mapping, profiles),
      )
      for (const fact of facts) {
        const edge = edgeOf(fact)
        if (!edge || !own.has(edge.b)) continue
        const { a, b, declared = false } = edge
        const [firstAt, lastAt] = [fact.firstAt.toISOString(), fact.lastAt.toISOString()]
        joins.push({ a, b, source, over: joinKind(edge), declared, firstAt, lastAt })
      }
    }
    return joins.sort((x, y) => compare(x.b, y.b) || compare(x.a, y.a))
  }
}

const compare = (a: string, b: string): number => (a < b ? -1 : Number(a > b))
