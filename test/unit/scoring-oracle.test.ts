import { describe, expect, it } from '@jest/globals'
import fc from 'fast-check'
import { createScorer } from '../../src/core/scoring/scorer.ts'
import { answersOf } from '../support/oracle/answers.ts'
import { anyModel, type GeneratedModel } from '../support/oracle/arbitrary-models.ts'
import { anyScene, anyScores } from '../support/oracle/arbitrary-scenes.ts'
import { CORE_ACTIONS } from '../support/oracle/arbitrary-signals.ts'
import { differences } from '../support/oracle/compare.ts'
import { coreAnswers } from '../support/oracle/core-answers.ts'
import type { PersonScore, Scene } from '../support/oracle/scene.ts'

const RUNS = Number(process.env['RIPEN_TEST_RUNS'] ?? 400)
const SEED = Number(process.env['RIPEN_TEST_SEED'] ?? 17)

function agree(
  { text, model }: GeneratedModel,
  scene: Scene,
  scores: ReadonlyMap<string, PersonScore>,
): void {
  const scorer = createScorer(model, CORE_ACTIONS)
  const product = coreAnswers(scorer, scene, text, scores)
  expect(differences(product, answersOf(scene, text, scores))).toEqual([])
}

describe('scoring', () => {
  it('says of people what a slow reading of any model file says', () => {
    fc.assert(
      fc.property(anyModel('person'), anyScene, (generated, scene) =>
        agree(generated, scene, new Map()),
      ),
      { seed: SEED, numRuns: RUNS },
    )
  })

  it('says of accounts what a slow reading of any model file says', () => {
    fc.assert(fc.property(anyModel('account'), anyScene, anyScores, agree), {
      seed: SEED,
      numRuns: RUNS,
    })
  })
})
