import type { Score } from '../../../src/core/scoring/score.ts'
import type { ModelScorer } from '../../../src/core/scoring/scorer.ts'
import type { Answer } from './answers.ts'
import { featuresOf } from './features-of.ts'
import type { ModelText } from './model-file.ts'
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
    if (score) answers.set(subject.id, answerOf(score))
  }
  return answers
}

const answerOf = (score: Score): Answer => ({
  subjectId: score.subjectId,
  score: score.score,
  grade: score.grade,
  usageStatus: score.usageStatus,
  contributions: score.contributions,
  championId: score.facts.championId,
  otherIds: score.facts.otherIds,
})
