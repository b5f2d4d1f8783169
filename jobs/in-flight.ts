/**
 * Works on items as they come, at most `limit` at a time. After the first failure no further one is
 * begun; those under way come to their end, so that what they did is noted, and then the failure is thrown.
 */
export async function eachInFlight<Item>(
  items: Iterable<Item> | AsyncIterable<Item>,
  limit: number,
  work: (item: Item) => Promise<void>,
): Promise<void> {
  const running = new Set<Promise<void>>()
  const failures: unknown[] = []
  const begin = (item: Item) => {
    const one = work(item)
      .catch((error: unknown) => void failures.push(error))
      .finally(() => running.delete(one))
    running.add(one)
  }
  try {
    for await (const item of items) {
      if (failures.length > 0) break
      begin(item)
      if (running.size >= limit) await Promise.race(running)
    }
  } catch (error) {
    failures.push(error)
  }
  await Promise.all(running)
  if (failures.length > 0) throw failures[0]
}
