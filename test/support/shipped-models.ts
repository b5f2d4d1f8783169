import { join } from 'node:path'
import { parseMappingSet } from '../../src/core/mapping/mapping-set.ts'
import { type Model, modelSchema } from '../../src/core/mapping/model.ts'
import { parseYaml } from '../../src/core/mapping/parse-yaml.ts'
import type { Evidence, Features } from '../../src/core/scoring/features.ts'
import type { Score } from '../../src/core/scoring/score.ts'
import { createScorer } from '../../src/core/scoring/scorer.ts'
import { readMappingFolder } from '../../src/infra/mappings/folder.ts'
import { at, featuresOf, NOW, seen } from './features.ts'

export type Given = Readonly<Record<string, Evidence | readonly (Evidence | undefined)[]>>
export type Rest = Partial<Omit<Features, 'activity'>>

const FILES = await readMappingFolder(join(import.meta.dirname, '../../mappings'))
const { actions } = parseMappingSet(FILES).usage

/** What the word `core` stands for in the shipped tracking plan. */
export const CORE_ACTIONS: readonly string[] = Object.keys(actions).filter((a) => actions[a]?.core)

/** Every model that is shipped, run or not. */
export const MODEL_FILES: readonly string[] = Object.keys(FILES).filter((name) =>
  /^(models|presets)\//.test(name),
)

/** A shipped model, by its file. */
export const modelIn = (file: string): Model => parseYaml(FILES[file] ?? '', file, modelSchema)

/** The first score by a shipped model. */
export function scoreBy(file: string, given: Given, rest: Rest = {}): Score | null {
  const scorer = createScorer(modelIn(file), CORE_ACTIONS)
  return scorer.score(featuresOf(scorer, given, rest), null, NOW)
}

/** An action that was done once, with a value. */
export const kept = (n: number): Evidence => ({
  ...seen(1),
  value: { sum: n, max: n, last: n, lastAt: at(-1), distinct: 1, isCapped: false },
})

/** An action that was done on so many days of one week. */
export const inWeek = (weekDays: number): Evidence => ({ ...seen(20), week: 20, weekDays })

export const BUSINESS: Rest = { traits: { email_kind: ['business'] } }
