import type { FileSummary } from '../../core/mapping/file-changes.ts'
import type { ChangeEffects } from '../../infra/mappings/published.ts'
import { table } from './tables.ts'

const MARKS = { added: '+', changed: '~', removed: '-' } as const

/** Which files change, and by how many lines. */
export function describeChanges(changes: readonly FileSummary[]): string {
  return table(
    changes.map(({ file, change, added, removed }) => [
      `  ${MARKS[change]} ${file}`,
      change,
      `${added} lines more, ${removed} less`,
    ]),
  )
}

/** The same in a few words, for a list. */
export function shortChanges(changes: readonly FileSummary[]): string {
  return changes.map(({ file, change }) => `${MARKS[change]}${file}`).join(' ') || 'no file'
}

/** What a version sets off. */
export function describeEffects({ rollups, identity }: ChangeEffects): string {
  const parts = [
    ...(rollups
      ? ['rollups of every day are made anew; scores go by the old ones until then']
      : []),
    ...(identity ? ['people and accounts are joined anew'] : []),
    'everybody is scored anew',
  ]
  return parts.join('; ')
}
