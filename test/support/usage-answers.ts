import type { Need } from '../../src/core/scoring/needs.ts'
import { featureTime, readActions } from '../../src/core/usage/feature-sql.ts'
import type { Connection } from '../../src/infra/lake/duck.ts'
import { type Answers, readAnswers, readUsage } from '../../src/infra/lake/features-reader.ts'
import {
  addMembers,
  clearMembers,
  loadUsage,
  type Membership,
  type SourcePart,
  usageAsk,
} from '../../src/infra/lake/usage-table.ts'

/** A question that asks for nothing but how many, by default for 30 days. */
export const need = (action: string, more: Partial<Need> = {}): Need => ({
  action,
  of: 'own',
  days: 30,
  value: false,
  fade: null,
  streak: false,
  week: false,
  against: 0,
  ever: false,
  people: false,
  ...more,
})

/** What is asked of usage, about whom and when. */
export interface Asking {
  readonly dir: string
  readonly parts: readonly SourcePart[]
  readonly members: readonly Membership[]
  readonly subject?: 'person' | 'account'
  readonly needs: readonly Need[]
  readonly windows?: readonly number[]
  readonly asOf: string
}

/** Loads live rollups and answers from them, as the step `score` does. */
export async function askUsage(
  connection: Connection,
  { dir, parts, members, subject = 'person', needs, windows = [], asOf }: Asking,
): Promise<Answers> {
  const plan = { needs, windows }
  const time = featureTime(new Date(asOf))
  const actions = readActions([plan], time.endDay)
  await clearMembers(connection)
  await addMembers(connection, members)
  await loadUsage(connection, { dir, parts }, usageAsk([plan], actions))
  const asked = { kind: subject, list: subjectsOf(members, subject) }
  return readAnswers(connection, asked, plan, actions, time, await readUsage(connection))
}

function subjectsOf(members: readonly Membership[], kind: 'person' | 'account') {
  const people = new Map<number, Set<number>>()
  for (const member of members) {
    const number = member[kind]
    if (number === null) continue
    people.set(number, (people.get(number) ?? new Set()).add(member.person))
  }
  return [...people].map(([number, some]) => ({ number, people: [...some] }))
}
