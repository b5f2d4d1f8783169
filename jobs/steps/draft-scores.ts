import type { MappingSet } from '../../src/core/mapping/mapping-set.ts'
import type { Score } from '../../src/core/scoring/score.ts'
import { readUsage } from '../../src/infra/lake/features-reader.ts'
import type { JobContext } from '../context.ts'
import { readKnown } from './score-changes.ts'
import { planScores } from './score-plan.ts'
import { actionsOf, loadRoster, readRules, SLOTS } from './score-roster.ts'
import { askedOf, readTold, scoreRoster } from './score-subjects.ts'

/** Scores by model, then by subject. */
export type DraftScores = ReadonlyMap<string, ReadonlyMap<string, Score>>

/**
 * What the models of files that are not published say of these subjects and whoever's score hangs on theirs, or of everybody:
 * the same as scoring them, by the usage that the published usage.yaml has rolled up, and stores nothing.
 */
export async function draftScores(
  { db, lakeDir, duck, clock }: Pick<JobContext, 'db' | 'lakeDir' | 'duck' | 'clock'>,
  set: MappingSet,
  subjects: readonly string[] | null,
): Promise<DraftScores> {
  const asOf = clock()
  const rules = await readRules(db, lakeDir)
  const plan = planScores({ ...set, usage: rules.set.usage })
  const whom = subjects === null ? { fromSlot: 0, toSlot: SLOTS } : { subjects }
  return duck.connect(async (connection) => {
    const roster = await loadRoster(connection, db, { plan, live: rules.live }, whom, asOf)
    const asked = askedOf(roster, plan, subjects)
    const [told, known] = await Promise.all([
      readTold(db, plan, roster, { asOf, isAsked: false }),
      readKnown(db, { plan, roster }, asked),
    ])
    const actions = actionsOf(plan, asOf)
    const usage = { connection, rows: await readUsage(connection), actions }
    const scores = new Map(plan.scorers.map(({ model }) => [model.id, new Map<string, Score>()]))
    await scoreRoster(usage, plan, roster, asked, told, asOf, known, ({ model }, score) => {
      scores.get(model.id)?.set(score.subjectId, score)
    })
    return scores
  })
}
