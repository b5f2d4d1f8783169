import { describe, expect, it } from '@jest/globals'
import { eachInFlight } from '../../jobs/in-flight.ts'

/** Work that ends when the test says so. */
function handles() {
  const waiting = new Map<number, (error?: Error) => void>()
  const begun: number[] = []
  const work = (item: number) => {
    begun.push(item)
    return new Promise<void>((resolve, reject) => {
      waiting.set(item, (error) => (error ? reject(error) : resolve()))
    })
  }
  const settled = () => new Promise<void>((resolve) => setImmediate(resolve))
  const end = async (item: number, error?: Error) => {
    waiting.get(item)?.(error)
    await settled()
  }
  return { work, begun, end, settled }
}

describe('items in flight', () => {
  it('are so many at a time, and the next begins when one ends', async () => {
    const { work, begun, end, settled } = handles()
    const all = eachInFlight([1, 2, 3, 4], 2, work)
    await settled()
    expect(begun).toEqual([1, 2])
    await end(2)
    expect(begun).toEqual([1, 2, 3])
    for (const item of [1, 3, 4]) await end(item)
    await all
    expect(begun).toEqual([1, 2, 3, 4])
  })

  it('come to their end after one failed, no other is begun, and the failure is thrown then', async () => {
    const { work, begun, end, settled } = handles()
    let isOver = false
    const all = eachInFlight([1, 2, 3, 4], 2, work).finally(() => {
      isOver = true
    })
    const failure = expect(all).rejects.toThrow('first')
    await settled()
    await end(1, new Error('first'))
    expect([begun, isOver]).toEqual([[1, 2], false])
    await end(2, new Error('second'))
    await failure
  })

  it('end with the failure of whoever hands them out', async () => {
    async function* broken() {
      yield 1
      throw new Error('no more')
    }
    const done: number[] = []
    const all = eachInFlight(broken(), 3, async (item) => void done.push(item))
    await expect(all).rejects.toThrow('no more')
    expect(done).toEqual([1])
  })
})
