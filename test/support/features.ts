import { type Model, modelSchema } from '../../src/core/mapping/model.ts'
import { parseYaml } from '../../src/core/mapping/parse-yaml.ts'
import {
  type Activity,
  type Evidence,
  type Features,
  type Member,
  NO_SALES,
} from '../../src/core/scoring/features.ts'
import type { ModelScorer } from '../../src/core/scoring/scorer.ts'

const DAY = 86_400_000
/** Saturday; `asOf` of most tests. */
export const NOW = new Date('2026-11-21T10:00:00Z')

/** An instant so many days after `NOW`; before it when negative. */
export const at = (days: number): number => NOW.getTime() + days * DAY

/** A model of persons (or accounts) with these signals in YAML, and everything else as most tests want it. */
export function modelOf(signals: string, rest = ''): Model {
  const given = (field: string) => new RegExp(`^${field}:`, 'm').test(rest)
  const fields = {
    id: 'tested',
    version: '1',
    subject: 'person',
    kind: 'conversion',
    predicts: 'won',
    window: '30d',
    status: '{ enter: 50, exit: 40, assist: 25, new-for: 7d, stale-after: 45d }',
    bands: '[{ grade: D, from: 0 }, { grade: C, from: 25 }, { grade: B, from: 50 }]',
  }
  const head = Object.entries(fields).filter(([field]) => !given(field))
  const text = `${head.map(([field, value]) => `${field}: ${value}`).join('\n')}\n${rest}\nsignals:\n${signals}`
  return parseYaml(text, 'models/tested.yaml', modelSchema)
}

/** Something that was done so often on so many days, first and last so many days before `NOW`. */
export function seen(count: number, days = 1, first = -2, last = -1): Evidence {
  return { count, days, firstAt: at(first), lastAt: at(last) }
}

const ACTIVITY: Activity = {
  firstAt: at(-20),
  lastAt: at(-1),
  days30: 9,
  first30At: at(-20),
  recent: 5,
  recentFirstAt: at(-13),
  earlier: 4,
  earlierFirstAt: at(-20),
}

/** Features of one subject: evidence by signal id (of a signal with several needs, a list). */
export function featuresOf(
  scorer: ModelScorer,
  evidence: Readonly<Record<string, Evidence | readonly (Evidence | undefined)[]>>,
  rest: Partial<Omit<Features, 'activity'>> & { readonly activity?: Partial<Activity> } = {},
): Features {
  const list: (Evidence | undefined)[] = []
  for (const [id, given] of Object.entries(evidence)) {
    const several = Array.isArray(given) ? given : [given]
    scorer.needs.of.get(id)?.forEach((place, i) => {
      list[place] = several[i]
    })
  }
  return {
    subjectId: 'per_1',
    evidence: list,
    traits: {},
    members: [],
    sales: NO_SALES,
    ...rest,
    activity: { ...ACTIVITY, ...rest.activity },
  }
}

/** Somebody of an account who did core work on so many days of every window. */
export function memberOf(personId: string, coreDays: number, rest: Partial<Member> = {}): Member {
  const work = { days: coreDays, firstAt: at(-3), earlierDays: 0, earlierFirstAt: null }
  const core = new Map([7, 14, 30, 90].map((days) => [days, work]))
  return {
    personId,
    firstAt: at(-20),
    lastAt: at(-1),
    core,
    score: 0,
    qualified: false,
    ...rest,
  }
}
