import type { Score, Standing } from '../../src/core/scoring/score.ts'
import type { Db } from '../../src/infra/postgres/database.ts'
import { readSalesByModel } from '../../src/infra/postgres/sales-store.ts'
import { readDatedTraits } from '../../src/infra/postgres/trait-store.ts'
import {
  type Asked,
  type Roster,
  RosterFeatures,
  type RosterPerson,
  type RosterUsage,
  type Told,
} from './score-features.ts'
import type { PlannedScorer, ScorePlan } from './score-plan.ts'

/** Everybody of a roster, or those who are named and whoever's score hangs on theirs. */
export function askedOf(
  { people, accounts }: Roster,
  plan: ScorePlan,
  subjects: readonly string[] | null,
): Asked {
  if (subjects === null) return { people, accounts: [...accounts.keys()] }
  const named = new Set(subjects)
  const theirs = [...accounts].filter(
    ([, account]) => named.has(account.id) || account.people.some(({ id }) => named.has(id)),
  )
  const asked = new Set(theirs.map(([number]) => number))
  const isAsked = ({ id, account }: RosterPerson) =>
    named.has(id) || (plan.looksAtColleagues && account !== null && asked.has(account))
  return { people: people.filter(isAsked), accounts: [...asked] }
}

/** What one model says of those who were asked about; their scores are told one by one. */
export interface Answered {
  readonly scorer: PlannedScorer
  /** Who has a score, and how they stand. */
  readonly standings: ReadonlyMap<string, Standing>
  /** Who has use, but the model does not apply to them. */
  readonly outside: ReadonlySet<string>
}

/** Stored scores. */
export interface KnownScores {
  /** By model and subject, of those who are asked about. */
  previous(model: string): ReadonlyMap<string, Score>
  /** The same of the people beside them, of whom less need be known. */
  others(model: string): ReadonlyMap<string, Standing>
}

/** Is told each score as soon as it is known: of one model after the other, each in the order of the subjects' ids. */
export type TakeScore = (scorer: PlannedScorer, score: Score, previous: Score | null) => void

/** Scores a roster at one instant: the same for now, for a preview and for the past. */
export async function scoreRoster(
  usage: RosterUsage,
  plan: ScorePlan,
  roster: Roster,
  asked: Asked,
  told: Told,
  asOf: Date,
  known: KnownScores,
  takeScore: TakeScore,
): Promise<readonly Answered[]> {
  const features = await RosterFeatures.read(usage, roster, asked, plan, told, asOf)
  const people = new Map<string, ReadonlyMap<string, Standing>>()
  const inOrder = ordered(asked, roster)
  const answers: Answered[] = []
  for (const scorer of plan.scorers) {
    const { model } = scorer
    const before = known.previous(model.id)
    const standings = new Map<string, Standing>()
    const outside = new Set<string>()
    const take = (one: ReturnType<RosterFeatures['person']>) => {
      if (!one) return
      const previous = before.get(one.subjectId) ?? null
      const next = scorer.score(one, previous, asOf)
      if (!next) {
        outside.add(one.subjectId)
        return
      }
      const { score, usageStatus } = next
      standings.set(one.subjectId, { score, usageStatus })
      takeScore(scorer, next, previous)
    }
    if (model.subject === 'person') {
      for (const person of inOrder.people) take(features.person(scorer, person))
      people.set(model.id, together(known.others(model.id), standings))
    } else {
      const theirs = people.get(model['people-model'] ?? '') ?? NO_SCORES
      for (const account of inOrder.accounts) take(features.account(scorer, account, theirs))
    }
    answers.push({ scorer, standings, outside })
  }
  return answers
}

const NO_SCORES: ReadonlyMap<string, Standing> = new Map()

function ordered({ people, accounts }: Asked, roster: Roster): Asked {
  const idOf = (number: number) => roster.accounts.get(number)?.id ?? ''
  return {
    people: people.toSorted((a, b) => (a.id < b.id ? -1 : 1)),
    accounts: accounts.toSorted((a, b) => (idOf(a) < idOf(b) ? -1 : 1)),
  }
}

/** The scores of those who were asked about, and of the others as they stand. */
function together(
  others: ReadonlyMap<string, Standing>,
  scores: ReadonlyMap<string, Standing>,
): ReadonlyMap<string, Standing> {
  return others.size === 0 ? scores : new Map([...others, ...scores])
}

/** Which moment is looked at. */
export interface LookTime {
  readonly asOf: Date
  readonly knownAt?: Date | undefined
  /** True for a moment that somebody asks about; false for now. */
  readonly isAsked: boolean
}

/** What is told of a roster besides usage. */
export async function readTold(
  db: Db,
  plan: ScorePlan,
  roster: Roster,
  { asOf, knownAt, isAsked }: LookTime,
): Promise<Told> {
  const ids = [
    ...roster.people.map(({ id }) => id),
    ...[...roster.accounts.values()].map(({ id }) => id),
  ]
  const models = plan.scorers.map(({ model }) => model.id)
  const time = { asOf, ...(knownAt ? { knownAt } : {}) }
  const [said, sales] = await Promise.all([
    readDatedTraits(db, ids, time),
    readSalesByModel(db, ids, models, isAsked ? time : null),
  ])
  return { traits: said.traits, traitsChangeAt: said.changeAt, sales }
}
