import type { ModelScorer } from '../../../src/core/scoring/scorer.ts'
import type { Answer } from './answers.ts'
import { featuresOf } from './features-of.ts'
import type { ModelText } from './model-file.ts'
import { toldBy } from './product.ts'
import { type PersonScore, type Scene, subjectsOf } from './scene.ts'

/** What the scoring core says of everybody in a scene who was never scored before. */
export function coreAnswers(
  scorer: ModelScorer,
  scene: Scene,
  text: ModelText,
  scores: ReadonlyMap<string, PersonScore>,
): Map<string, Answer> {
  const answers = new Map<string, Answer>()
  for (const subject of subjectsOf(scene, text, scores)) {
    const features = featuresOf(scorer, scene, subject)
    const score = features && scorer.score(features, null, new Date(scene.asOf))
    if (score) answers.set(subject.id, toldBy(score))
  }
  return answers
}
