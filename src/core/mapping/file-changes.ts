import { createTwoFilesPatch } from 'diff'
import type { MappingFiles } from './mapping-set.ts'

/** That one file of a mapping folder differs between two versions, and by how much. */
export interface FileSummary {
  readonly file: string
  readonly change: 'added' | 'changed' | 'removed'
  /** Lines that the later version has and the earlier one has not. */
  readonly added: number
  readonly removed: number
}

export interface FileChange extends FileSummary {
  /** The unified diff, with three lines around each change; without headers of its own. */
  readonly patch: string
}

/** What a later version of the files changes, file by file in the order of their names. */
export function fileChanges(before: MappingFiles, after: MappingFiles): FileChange[] {
  const names = [...new Set([...Object.keys(before), ...Object.keys(after)])].sort()
  return names.flatMap((file): FileChange[] => {
    const [old, now] = [before[file], after[file]]
    if (old === now) return []
    const whole = createTwoFilesPatch(file, file, old ?? '', now ?? '', '', '', { context: 3 })
    const lines = whole.split('\n')
    const patch = lines.slice(lines.findIndex((line) => line.startsWith('@@'))).join('\n')
    const count = (sign: string) => patch.split('\n').filter((line) => line[0] === sign).length
    const change = old === undefined ? 'added' : now === undefined ? 'removed' : 'changed'
    return [{ file, change, added: count('+'), removed: count('-'), patch: patch.trimEnd() }]
  })
}

/** The same without the lines themselves. */
export function fileSummaries(before: MappingFiles, after: MappingFiles): FileSummary[] {
  return fileChanges(before, after).map(({ patch: _, ...summary }) => summary)
}
