import type { Ingested } from './ripen.ts'
import { EVENTS_PER_GROUP, type Expected } from './schedule.ts'

/**
 * Holds what came out against what was generated.
 * @throws when anything differs: a fast ingestion of wrong numbers is no figure.
 */
export function verifyIngestion(expected: Expected, got: Ingested): void {
  const wrong: string[] = []
  const same = (what: string, want: number, have: number) => {
    if (want !== have) wrong.push(`${what}: ${have} instead of ${want}`)
  }
  same('rows', expected.rows, got.rows)
  same('events', expected.events, got.events)
  same('people', expected.people.size, got.people)
  const actions = new Map(got.rollup.map((row) => [row.action, row]))
  for (const action of new Set([...expected.rollup.keys(), ...actions.keys()])) {
    const row = actions.get(action)
    same(`rollup rows of ${action}`, expected.rollup.get(action) ?? 0, row?.rows ?? 0)
    if (!row || action.startsWith('$')) continue
    same(`fewest events in a rollup row of ${action}`, EVENTS_PER_GROUP, row.least)
    same(`most events in a rollup row of ${action}`, EVENTS_PER_GROUP, row.most)
  }
  if (wrong.length > 0) throw new Error(`the ingestion is wrong: ${wrong.join('; ')}`)
}
