import type { Score } from '../scoring/score.ts'

/** What a task said when it was made or last brought up to date: what of it could change. */
export interface StoryMark {
  readonly score: number
  readonly grade: string
  readonly trend: string
  readonly activeUsers: number
  readonly championId: string | null
}

/** The points by which a score has to move to be worth a line. */
const MATERIAL_POINTS = 10

export const markOf = ({ score, grade, trend, facts }: Score): StoryMark => ({
  score,
  grade,
  trend,
  activeUsers: facts.activeUsers,
  championId: facts.championId,
})

/**
 * What is otherwise than a task says, in words; empty while nothing is that its reader would act on. A score that
 * wavers and people who come and go by one are no news.
 * @param emailOf the address of a person, or what stands for her.
 */
export function materialChanges(
  before: StoryMark,
  now: StoryMark,
  emailOf: (personId: string) => string,
): readonly string[] {
  const changes: string[] = []
  const moved = Math.abs(now.score - before.score) >= MATERIAL_POINTS
  if (moved || now.grade !== before.grade) {
    changes.push(
      `the score went from ${before.score} (${before.grade}) to ${now.score} (${now.grade})`,
    )
  }
  const isTurn = now.trend !== before.trend && TURNS.has(now.trend)
  if (isTurn) changes.push(`use is ${now.trend} now`)
  if (Math.abs(now.activeUsers - before.activeUsers) >= 2) {
    changes.push(`${now.activeUsers} people are active, before ${before.activeUsers}`)
  }
  if (now.championId !== null && now.championId !== before.championId) {
    changes.push(`whom to call first is ${emailOf(now.championId)} now`)
  }
  return changes
}

const TURNS: ReadonlySet<string> = new Set(['rising', 'falling', 'quiet'])
