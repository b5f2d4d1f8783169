import { holds, signalNamed } from './amounts.ts'
import { daysOf, type ModelText } from './model-file.ts'
import { type GivenPoints, wholePoints } from './points.ts'
import {
  activePeople,
  coreDays,
  deedsUpTo,
  meetsTrait,
  type PersonScore,
  type Scene,
  type Subject,
  subjectsOf,
} from './scene.ts'

/** What the model file says of one subject that was never scored before. */
export interface Answer {
  readonly subjectId: string
  readonly score: number
  readonly grade: string
  readonly usageStatus: string
  /** Without those of 0 points; `limit` and `excluded` among them. */
  readonly contributions: readonly GivenPoints[]
  /** Of an account, whom to call first, and the others who are active. */
  readonly championId: string | null
  readonly otherIds: readonly string[]
}

const DAY_MS = 86_400_000

/** Answers of one model for everybody whom it scores, by subject. */
export function answersOf(
  scene: Scene,
  model: ModelText,
  scores: ReadonlyMap<string, PersonScore> = new Map(),
): Map<string, Answer> {
  const answers = new Map<string, Answer>()
  for (const subject of subjectsOf(scene, model, scores)) {
    if (deedsUpTo(scene, subject.own).length === 0) continue
    if (!(model.population ?? []).every((rule) => meetsTrait(subject, rule))) continue
    answers.set(subject.id, answerOf(scene, model, subject))
  }
  return answers
}

/** Answers of several models: those for people first, since models for accounts ask for them. */
export function answersOfAll(
  scene: Scene,
  models: readonly ModelText[],
): Map<string, Map<string, Answer>> {
  const all = new Map<string, Map<string, Answer>>()
  for (const subject of ['person', 'account'] as const) {
    for (const model of models.filter((one) => one.subject === subject)) {
      const asked = [...(all.get(model['people-model'] ?? '') ?? [])].map(
        ([id, { score, usageStatus }]) =>
          [id, { score, isQualified: usageStatus === 'qualified' }] as const,
      )
      all.set(model.id, answersOf(scene, model, new Map(asked)))
    }
  }
  return all
}

function answerOf(scene: Scene, model: ModelText, subject: Subject): Answer {
  const given = wholePoints(scene, model, subject)
  const sum = given.reduce((total, { points }) => total + points, 0)
  const limited = Math.max(0, Math.min(100, sum))
  const isExcluded = (model.exclude ?? []).some((rule) =>
    rule.signal === undefined
      ? meetsTrait(subject, rule)
      : holds(scene, model, subject, signalNamed(model, rule.signal)),
  )
  const score = isExcluded ? 0 : limited
  const contributions = [
    ...given,
    { id: 'limit', points: limited - sum, amount: 0 },
    { id: 'excluded', points: score - limited, amount: 0 },
  ].filter(({ points }) => points !== 0)
  return {
    subjectId: subject.id,
    score,
    grade: model.bands.findLast(({ from }) => score >= from)?.grade ?? '',
    usageStatus: firstStatus(scene, model, subject, score, isExcluded),
    contributions,
    ...whoToCall(scene, model, subject),
  }
}

/** The status of somebody who had none: hysteresis and dwell have nothing to hold yet. */
function firstStatus(
  scene: Scene,
  model: ModelText,
  subject: Subject,
  score: number,
  isExcluded: boolean,
): string {
  const times = deedsUpTo(scene, subject.own).map(({ at }) => at)
  const first = times.reduce((a, b) => Math.min(a, b))
  const last = times.reduce((a, b) => Math.max(a, b))
  const { enter, assist, ...lengths } = model.status
  const test = (id: string) => holds(scene, model, subject, signalNamed(model, id))
  const isStale = scene.asOf - last > daysOf(lengths['stale-after']) * DAY_MS
  if (isExcluded) return isStale ? 'stale' : 'nurture'
  if ((model['hand-raiser'] ?? []).some(test)) return 'qualified'
  if (isStale) return 'stale'
  const active = activePeople(scene, model, subject.colleagues, daysOf(model.window)).length
  const isCarried = model.subject === 'person' || active >= (model['least-active'] ?? 2)
  if (score >= enter && isCarried && (model.requires ?? []).every(test)) return 'qualified'
  if (score >= assist) return 'assist'
  return scene.asOf - first < daysOf(lengths['new-for']) * DAY_MS ? 'new' : 'nurture'
}

function whoToCall(
  scene: Scene,
  model: ModelText,
  { colleagues, scores }: Subject,
): Pick<Answer, 'championId' | 'otherIds'> {
  if (model.subject === 'person') return { championId: null, otherIds: [] }
  const days = daysOf(model.window)
  const [first] = colleagues
    .map((person) => ({
      id: person.id,
      score: scores.get(person.id)?.score ?? 0,
      work: coreDays(scene, person, days),
    }))
    .filter(({ score, work }) => score > 0 || work > 0)
    .sort((a, b) => b.score - a.score || b.work - a.work || (a.id < b.id ? -1 : 1))
  const active = activePeople(scene, model, colleagues, days).map(({ id }) => id)
  return {
    championId: first?.id ?? null,
    otherIds: active.filter((id) => id !== first?.id).sort(),
  }
}
