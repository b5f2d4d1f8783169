import type { Model } from '../mapping/model.ts'
import type { Score } from './score.ts'

/** Why a score or status is another one than before. */
export type ChangeCause =
  | 'first score'
  | 'model'
  | 'sales'
  | 'usage'
  | 'identity'
  | 'traits'
  | 'time'

/**
 * Tells why `next` differs from `previous`: another version of the model, what sales says, new usage,
 * usage that is somebody else's now, traits, or time alone.
 */
export function causeOf(model: Model, previous: Score | null, next: Score): ChangeCause {
  if (!previous) return 'first score'
  if (previous.version !== next.version) return 'model'
  if (previous.salesStatus !== next.salesStatus) return 'sales'
  const before = previous.facts
  const now = next.facts
  if ((now.lastActive ?? '') > (before.lastActive ?? '')) return 'usage'
  if (now.lastActive !== before.lastActive || now.firstSeen !== before.firstSeen) return 'identity'
  const lasts = new Map(previous.contributions.map(({ id, last }) => [id, last]))
  const newer = ({ id, last }: { id: string; last: number | null }) =>
    last !== null && last > (lasts.get(id) ?? last)
  if (next.contributions.some(newer)) return 'usage'
  const traits = new Set(model.signals.flatMap((s) => ('trait' in s ? [s.id] : [])))
  const isOfTraits =
    next.changed.some(({ id }) => traits.has(id)) || before.excludedBy !== now.excludedBy
  return isOfTraits ? 'traits' : 'time'
}
