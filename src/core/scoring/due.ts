import type { Model } from '../mapping/model.ts'
import { leavesAt, nextShift } from './day.ts'
import type { Activity, Features } from './features.ts'
import { EVER_DAYS, type Needs } from './needs.ts'
import { membersChangeAt, newcomersChangeAt } from './people-amounts.ts'

/**
 * When a subject's windows next hold something else, or its points fade, with no new event: never later
 * than what is told of it changes. Windows move at midnight UTC, and lose the oldest that they hold.
 */
export function changeAtOf(
  model: Model,
  needs: Needs,
): (features: Features, asOf: number) => number {
  const fading = model.signals.flatMap((s) =>
    'half-life' in s && s['half-life'] !== undefined ? [...(needs.of.get(s.id) ?? [])] : [],
  )
  const members = membersRules(model)
  return (features, asOf) => {
    let next = activityChangeAt(features.activity)
    next = Math.min(next, features.traitsChangeAt ?? next)
    needs.list.forEach(({ days, against, ever }, place) => {
      const one = features.evidence[place]
      if (!one || (days >= EVER_DAYS && !ever)) return
      if (one.firstAt !== null) next = Math.min(next, leavesAt(one.firstAt, days))
      if (one.earlierFirstAt) next = Math.min(next, leavesAt(one.earlierFirstAt, days + against))
    })
    // Points that fade, be they too few to be listed today, may still tip a rounding.
    if (fading.some((place) => (features.evidence[place]?.count ?? 0) > 0)) {
      next = Math.min(next, nextShift(asOf))
    }
    for (const rule of members) next = Math.min(next, rule(features, asOf))
    return next
  }
}

function activityChangeAt(activity: Activity): number {
  const { first30At, recentFirstAt, earlierFirstAt } = activity
  const at = (ms: number | null, days: number) =>
    ms === null ? Number.POSITIVE_INFINITY : leavesAt(ms, days)
  return Math.min(at(first30At, 30), at(recentFirstAt, 14), at(earlierFirstAt, 28))
}

function membersRules(model: Model): ((features: Features, asOf: number) => number)[] {
  const rules: ((features: Features, asOf: number) => number)[] = []
  const work = new Set<number>(model.subject === 'account' ? [model.window] : [])
  for (const signal of model.signals) {
    if (!('people' in signal)) continue
    const days = signal.within ?? model.window
    if (signal.people === 'new') {
      rules.push(({ members }, asOf) => newcomersChangeAt(members, days, asOf))
    } else if (['active', 'share-active', 'growth'].includes(signal.people)) {
      work.add(days)
    }
  }
  for (const days of work) rules.push(({ members }) => membersChangeAt(members, days))
  return rules
}
