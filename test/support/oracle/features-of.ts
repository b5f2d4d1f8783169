import type {
  Activity,
  CoreWork,
  Evidence,
  Features,
  KeptValue,
  Member,
} from '../../../src/core/scoring/features.ts'
import { NO_SALES } from '../../../src/core/scoring/features.ts'
import type { Need } from '../../../src/core/scoring/needs.ts'
import type { ModelScorer } from '../../../src/core/scoring/scorer.ts'
import { numberOf } from './model-file.ts'
import {
  deedsUpTo,
  different,
  inWindow,
  type KnownPerson,
  lastDay,
  type Scene,
  type Subject,
  within,
} from './scene.ts'
import type { Deed } from './tracking-plan.ts'

/** What a scorer is fed about a subject, worked out from its deeds one by one; null without any use. */
export function featuresOf(scorer: ModelScorer, scene: Scene, subject: Subject): Features | null {
  const own = deedsUpTo(scene, subject.own)
  if (own.length === 0) return null
  return {
    subjectId: subject.id,
    activity: activityOf(scene, own),
    evidence: scorer.needs.list.map((need) => evidenceOf(scene, subject, need)),
    traits: traitsOf(subject.own),
    members: subject.colleagues.map((person) => memberOf(scorer, scene, subject, person)),
    sales: NO_SALES,
  }
}

const times = (deeds: readonly Deed[]): number[] => deeds.map(({ at }) => at)
const firstOf = (all: readonly number[]): number | null =>
  all.length === 0 ? null : all.reduce((a, b) => Math.min(a, b))
const lastOf = (all: readonly number[]): number | null =>
  all.length === 0 ? null : all.reduce((a, b) => Math.max(a, b))

function activityOf(scene: Scene, own: readonly Deed[]): Activity {
  const month = within(scene, own, 30)
  const recent = within(scene, own, 14)
  const earlier = within(scene, own, 14, 14)
  return {
    firstAt: firstOf(times(own)) ?? 0,
    lastAt: lastOf(times(own)) ?? 0,
    days30: different(month.map(({ day }) => day)),
    first30At: firstOf(times(month)),
    recent: recent.length,
    recentFirstAt: firstOf(times(recent)),
    earlier: earlier.length,
    earlierFirstAt: firstOf(times(earlier)),
  }
}

function evidenceOf(scene: Scene, subject: Subject, need: Need): Evidence | undefined {
  const people = need.of === 'account' ? subject.colleagues : subject.own
  const ever = deedsUpTo(scene, people).filter(({ actions }) => actions.has(need.action))
  const deeds = within(scene, ever, need.days)
  const earlier = within(scene, ever, need.against, need.days)
  if (deeds.length === 0 && earlier.length === 0 && !(need.ever && ever.length > 0))
    return undefined
  const byDay = new Map<number, Deed[]>()
  for (const deed of deeds) byDay.set(deed.day, [...(byDay.get(deed.day) ?? []), deed])
  const days = [...byDay.keys()].sort((a, b) => a - b)
  const weeks = days.map((from) => deeds.filter(({ day }) => day >= from && day < from + 7))
  return {
    count: deeds.length,
    days: days.length,
    firstAt: firstOf(times(deeds)),
    lastAt: lastOf(times(deeds)),
    ...(need.value ? { value: keptOf(deeds, need.action) } : {}),
    ...(need.fade ? { faded: fadedOf(scene, byDay, need, need.fade) } : {}),
    ...(need.streak ? { streak: streakOf(days) } : {}),
    ...(need.week
      ? {
          week: Math.max(0, ...weeks.map((week) => week.length)),
          weekDays: Math.max(0, ...weeks.map((week) => different(week.map(({ day }) => day)))),
        }
      : {}),
    ...(need.against > 0
      ? { earlier: earlier.length, earlierFirstAt: firstOf(times(earlier)) }
      : {}),
    ...(need.ever ? { everAt: firstOf(times(ever)) } : {}),
    ...(need.people ? { people: different(deeds.map(({ person }) => person)) } : {}),
  }
}

function numbersOf(deeds: readonly Deed[], action: string): { at: number; n: number }[] {
  return deeds.flatMap(({ at, actions }) => {
    const n = numberOf(actions.get(action) ?? '')
    return n === null ? [] : [{ at, n: Math.round(n * 1e6) }]
  })
}

function keptOf(deeds: readonly Deed[], action: string): KeptValue {
  const numbers = numbersOf(deeds, action)
  const texts = deeds.flatMap(({ actions }) => actions.get(action) ?? [])
  const lastAt = lastOf(
    times(deeds.filter(({ actions }) => numberOf(actions.get(action) ?? '') !== null)),
  )
  const values = numbers.map(({ n }) => n)
  const last = lastOf(numbers.filter(({ at }) => at === lastAt).map(({ n }) => n))
  const plain = (millionths: number | null) => (millionths === null ? null : millionths / 1e6)
  return {
    sum: values.length === 0 ? null : plain(values.reduce((a, b) => a + b, 0)),
    max: plain(lastOf(values)),
    last: plain(last),
    lastAt,
    distinct: texts.length === 0 ? null : different(texts.map((text) => text.slice(0, 200))),
    isCapped: false,
  }
}

function fadedOf(
  scene: Scene,
  byDay: ReadonlyMap<number, readonly Deed[]>,
  need: Need,
  { of, halfLife }: NonNullable<Need['fade']>,
): number {
  let billionths = 0
  for (const [day, deeds] of byDay) {
    const sum = numbersOf(deeds, need.action).reduce((all, { n }) => all + n, 0) / 1e6
    const amount = of === 'count' ? deeds.length : of === 'active-days' ? 1 : sum
    billionths += Math.round(amount * 2 ** ((day - lastDay(scene.asOf)) / halfLife) * 1e9)
  }
  return billionths / 1e9
}

/** @param days in rising order. */
function streakOf(days: readonly number[]): number {
  let [best, length] = [0, 0]
  days.forEach((day, place) => {
    length = days[place - 1] === day - 1 ? length + 1 : 1
    best = Math.max(best, length)
  })
  return best
}

function traitsOf(people: readonly KnownPerson[]): Record<string, string[]> {
  const traits: Record<string, string[]> = {}
  for (const [name, value] of people.flatMap((person) => Object.entries(person.traits))) {
    traits[name] = [...new Set([...(traits[name] ?? []), value])]
  }
  return traits
}

function memberOf(
  scorer: ModelScorer,
  scene: Scene,
  { scores }: Subject,
  person: KnownPerson,
): Member {
  const deeds = deedsUpTo(scene, [person])
  return {
    personId: person.id,
    firstAt: firstOf(times(deeds)),
    lastAt: lastOf(times(deeds)),
    core: new Map(scorer.memberWindows.map((days) => [days, coreWorkOf(scene, deeds, days)])),
    score: scores.get(person.id)?.score ?? 0,
    qualified: scores.get(person.id)?.isQualified ?? false,
  }
}

function coreWorkOf(scene: Scene, deeds: readonly Deed[], days: number): CoreWork {
  const core = deeds.filter(({ isCore }) => isCore)
  const now = core.filter(({ day }) => inWindow(scene, day, days))
  const before = core.filter(({ day }) => inWindow(scene, day, days, days))
  return {
    days: different(now.map(({ day }) => day)),
    firstAt: firstOf(times(now)),
    earlierDays: different(before.map(({ day }) => day)),
    earlierFirstAt: firstOf(times(before)),
  }
}
