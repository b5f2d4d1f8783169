import { describe, expect, it } from '@jest/globals'
import { MOST_TRIES, waitAfter } from '../../src/core/playbook/retry.ts'

describe('a message that did not arrive', () => {
  it('is tried again later and later, and is dead in the end', () => {
    const waits = Array.from({ length: MOST_TRIES }, (_, n) => waitAfter(n + 1, null))
    const minutes = waits.map((ms) => (ms === null ? null : ms / 60_000))
    expect(minutes).toEqual([0.5, 2, 8, 32, 128, 240, 240, null])
  })

  it('waits as long as the receiver asks for, and never less than by itself', () => {
    expect(waitAfter(1, 600_000)).toBe(600_000)
    expect(waitAfter(4, 1_000)).toBe(32 * 60_000)
    expect(waitAfter(MOST_TRIES, 1_000)).toBeNull()
  })
})
