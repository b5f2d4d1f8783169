import type { ModelText, SignalText } from './model-file.ts'
import { daysOf } from './model-file.ts'
import { activePeople, deedsUpTo, type Scene, type Subject, within } from './scene.ts'

/** What a signal with `people` measures; see docs/models.md. */
export function peopleAmount(
  scene: Scene,
  model: ModelText,
  subject: Subject,
  signal: SignalText,
): number | null {
  const { colleagues, scores } = subject
  // "Of a person: of her account, if she has one."
  if (colleagues.length === 0) return null
  const days = daysOf(signal.within ?? model.window)
  const known = colleagues.filter((person) => deedsUpTo(scene, [person]).length > 0)
  const active = activePeople(scene, model, colleagues, days).length
  switch (signal.people) {
    case 'known':
      return known.length
    case 'active':
      return active
    case 'new':
      return known.filter((person) => {
        const deeds = deedsUpTo(scene, [person])
        return within(scene, deeds, days).length === deeds.length
      }).length
    case 'qualified':
      return colleagues.filter(({ id }) => scores.get(id)?.isQualified === true).length
    case 'share-active':
      return known.length === 0 ? null : (100 * active) / known.length
    case 'growth':
      return active - activePeople(scene, model, colleagues, days, days).length
    case 'champion':
      return Math.max(0, ...colleagues.map(({ id }) => scores.get(id)?.score ?? 0))
    default:
      throw new Error(`people: ${signal.people} is unknown`)
  }
}
