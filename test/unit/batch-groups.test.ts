import { describe, expect, it } from '@jest/globals'
import { grouped } from '../../jobs/steps/batch-groups.ts'
import type { FileBatch } from '../../src/core/ports/usage-source.ts'

const batch = (n: number): FileBatch => [{ path: String(n), windowKey: null }]

async function* batches(count: number): AsyncGenerator<FileBatch> {
  for (let n = 0; n < count; n++) yield batch(n)
}

async function groupsOf(count: number, most?: number): Promise<string[][]> {
  const groups: string[][] = []
  for await (const group of grouped(batches(count), most)) {
    groups.push(group.flat().map(({ path }) => path))
  }
  return groups
}

describe('groups of batches', () => {
  it.each([
    { count: 0, most: 3, want: [] },
    { count: 1, most: 3, want: [['0']] },
    { count: 6, most: 3, want: [['0'], ['1', '2', '3'], ['4', '5']] },
    { count: 3, most: 1, want: [['0'], ['1'], ['2']] },
  ])('are one batch and then $most: of $count', async ({ count, most, want }) => {
    expect(await groupsOf(count, most)).toEqual(want)
  })
})
