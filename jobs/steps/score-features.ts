import type { Features, Member, SalesState, Traits } from '../../src/core/scoring/features.ts'
import { NO_SALES } from '../../src/core/scoring/features.ts'
import type { Standing } from '../../src/core/scoring/score.ts'
import { type FeatureTime, featureTime, type ReadAction } from '../../src/core/usage/feature-sql.ts'
import type { UsageRows } from '../../src/core/usage/usage-rows.ts'
import type { Connection } from '../../src/infra/lake/duck.ts'
import { type Answers, readAnswers } from '../../src/infra/lake/features-reader.ts'
import type { PlannedScorer, ScorePlan } from './score-plan.ts'

/** One person: her number in the table `usage`, and that of her account. */
export interface RosterPerson {
  readonly number: number
  readonly id: string
  readonly account: number | null
}

/** People and accounts that are looked at together; nobody has a colleague elsewhere. */
export interface Roster {
  readonly people: readonly RosterPerson[]
  readonly accounts: ReadonlyMap<number, RosterAccount>
}

export interface RosterAccount {
  readonly id: string
  readonly people: readonly RosterPerson[]
}

/** People and accounts of a roster that are scored; the others only stand by. */
export interface Asked {
  readonly people: readonly RosterPerson[]
  readonly accounts: readonly number[]
}

/** Whose usage is needed: of those who are asked about, of their accounts, and of colleagues. */
function standingBy(roster: Roster, asked: Asked, plan: ScorePlan): Asked {
  if (asked.people.length === roster.people.length) {
    return { people: roster.people, accounts: [...roster.accounts.keys()] }
  }
  const accounts = new Set(asked.accounts)
  if (plan.looksAtColleagues) {
    for (const { account } of asked.people) if (account !== null) accounts.add(account)
  }
  const people = new Set(asked.people)
  for (const number of accounts) {
    for (const person of roster.accounts.get(number)?.people ?? []) people.add(person)
  }
  return { people: [...people], accounts: [...accounts] }
}

/** A person before she has a number. */
export interface NamedPerson {
  readonly number: number
  readonly id: string
  readonly account: number | null
  readonly accountId: string | null
}

/** Puts people together by account. */
export function rosterOf(named: Iterable<NamedPerson>): Roster {
  const people: RosterPerson[] = []
  const accounts = new Map<number, { id: string; people: RosterPerson[] }>()
  for (const { number, id, account, accountId } of named) {
    const person = { number, id, account }
    people.push(person)
    if (account === null) continue
    const known = accounts.get(account)
    if (known) known.people.push(person)
    else accounts.set(account, { id: accountId ?? '', people: [person] })
  }
  return { people, accounts }
}

/** What does not come from usage. */
export interface Told {
  readonly traits: ReadonlyMap<string, Traits>
  /** By subject: when something is said of her that is not so yet. */
  readonly traitsChangeAt: ReadonlyMap<string, number>
  /** By model, then subject. */
  readonly sales: ReadonlyMap<string, ReadonlyMap<string, SalesState>>
}

const NO_TRAITS: Traits = {}
const NO_MEMBERS: readonly Member[] = []

/** Usage of a roster: what was read of it, and where values are asked. */
export interface RosterUsage {
  readonly connection: Connection
  readonly rows: UsageRows
  readonly actions: readonly ReadAction[]
}

/** Features of some people and accounts of a roster, and of their colleagues, at one instant. */
export class RosterFeatures {
  readonly #roster: Roster
  readonly #plan: ScorePlan
  readonly #told: Told
  readonly #people: Answers
  readonly #accounts: Answers | null
  /** Members by account, the last model that asked. */
  #members: { of: PlannedScorer; byAccount: Map<number, readonly Member[]> } | null = null

  static async read(
    { connection, rows, actions }: RosterUsage,
    roster: Roster,
    asked: Asked,
    plan: ScorePlan,
    told: Told,
    asOf: Date,
  ): Promise<RosterFeatures> {
    const time: FeatureTime = featureTime(asOf)
    const { people, accounts } = standingBy(roster, asked, plan)
    const ofPeople = people.map(({ number }) => ({ number, people: [number] }))
    const of = { kind: 'person' as const, list: ofPeople }
    const answers = await readAnswers(connection, of, plan.person, actions, time, rows)
    const asks =
      plan.account.needs.length > 0 || plan.scorers.some((s) => s.model.subject === 'account')
    if (!asks) return new RosterFeatures(roster, plan, told, answers, null)
    const list = accounts.map((number) => ({
      number,
      people: (roster.accounts.get(number)?.people ?? []).map((person) => person.number),
    }))
    const ofAccounts = { kind: 'account' as const, list }
    const theirs = await readAnswers(connection, ofAccounts, plan.account, actions, time, rows)
    return new RosterFeatures(roster, plan, told, answers, theirs)
  }

  private constructor(
    roster: Roster,
    plan: ScorePlan,
    told: Told,
    people: Answers,
    accounts: Answers | null,
  ) {
    this.#roster = roster
    this.#plan = plan
    this.#told = told
    this.#people = people
    this.#accounts = accounts
  }

  /** Null without any use up to the instant. */
  person(scorer: PlannedScorer, person: RosterPerson): Features | null {
    const activity = this.#people.activity(person.number)
    if (!activity) return null
    return {
      subjectId: person.id,
      activity,
      evidence: this.#evidence(scorer, person.number, person.account),
      traits: this.#told.traits.get(person.id) ?? NO_TRAITS,
      traitsChangeAt: this.#traitsChangeAt([person.id, this.#accountId(person)]),
      members:
        scorer.asksForPeople && person.account !== null
          ? this.#membersOf(scorer, person.account, NO_SCORES)
          : NO_MEMBERS,
      sales: this.#sales(scorer, person.id),
    }
  }

  /** @param scores of people, by the model that the account's model names. */
  account(
    scorer: PlannedScorer,
    number: number,
    scores: ReadonlyMap<string, Standing>,
  ): Features | null {
    const activity = this.#accounts?.activity(number)
    const account = this.#roster.accounts.get(number)
    if (!activity || !account) return null
    const ids = [account.id, ...account.people.map(({ id }) => id)]
    return {
      subjectId: account.id,
      activity,
      evidence: this.#evidence(scorer, -1, number),
      traits: unionOf(
        ids.flatMap((id): Traits[] => {
          const traits = this.#told.traits.get(id)
          return traits ? [traits] : []
        }),
      ),
      traitsChangeAt: this.#traitsChangeAt(ids),
      members: this.#membersOf(scorer, number, scores),
      sales: this.#sales(scorer, account.id),
    }
  }

  #accountId({ account }: RosterPerson): string {
    return (account === null ? null : this.#roster.accounts.get(account)?.id) ?? ''
  }

  #traitsChangeAt(ids: readonly string[]): number | undefined {
    const { traitsChangeAt } = this.#told
    if (traitsChangeAt.size === 0) return undefined
    const next = Math.min(...ids.map((id) => traitsChangeAt.get(id) ?? Number.POSITIVE_INFINITY))
    return Number.isFinite(next) ? next : undefined
  }

  #sales({ model }: PlannedScorer, id: string): SalesState {
    return this.#told.sales.get(model.id)?.get(id) ?? NO_SALES
  }

  #evidence({ places }: PlannedScorer, person: number, account: number | null) {
    return places.map(({ of, place }) => {
      if (of === 'person') return this.#people.evidence(person, place)
      return account === null ? undefined : this.#accounts?.evidence(account, place)
    })
  }

  /** One array for all who share it. */
  #membersOf(
    scorer: PlannedScorer,
    account: number,
    scores: ReadonlyMap<string, Standing>,
  ): readonly Member[] {
    if (this.#members?.of !== scorer) this.#members = { of: scorer, byAccount: new Map() }
    const known = this.#members.byAccount.get(account)
    if (known) return known
    const people = this.#roster.accounts.get(account)?.people ?? []
    const members = people.map(({ number, id }): Member => {
      const activity = this.#people.activity(number)
      const score = scores.get(id)
      return {
        personId: id,
        firstAt: activity?.firstAt ?? null,
        lastAt: activity?.lastAt ?? null,
        core: this.#plan.person.windows.length > 0 ? this.#people.core(number) : NO_CORE,
        score: score?.score ?? 0,
        qualified: score?.usageStatus === 'qualified',
      }
    })
    this.#members.byAccount.set(account, members)
    return members
  }
}

const NO_SCORES: ReadonlyMap<string, Standing> = new Map()
const NO_CORE: Member['core'] = new Map()

/** Every value once, in the order of the people. */
function unionOf(all: readonly Traits[]): Traits {
  const [first, ...rest] = all
  if (!first || rest.length === 0) return first ?? NO_TRAITS
  const union: Record<string, string[]> = {}
  for (const traits of all) {
    for (const [name, values] of Object.entries(traits)) {
      const known = union[name] ?? []
      for (const value of values) if (!known.includes(value)) known.push(value)
      union[name] = known
    }
  }
  return union
}
