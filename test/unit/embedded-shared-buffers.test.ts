import { describe, expect, it } from '@jest/globals'
import { sharedBuffersMb } from '../../src/infra/postgres/embedded/launch.ts'

const GB = 2 ** 30

describe('the pages that the embedded server holds', () => {
  it.each([
    [1, 128],
    [4, 128],
    [8, 256],
    [16, 512],
    [256, 512],
  ])('are, on a machine of %d GB, %d MB', (memory, pages) => {
    expect(sharedBuffersMb(memory * GB)).toBe(pages)
  })
})
