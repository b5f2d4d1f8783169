import { createReadStream, readdirSync } from 'node:fs'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { contender } from '../child.ts'

interface Line {
  readonly event: string
  readonly properties: {
    readonly time: number
    readonly $user_id?: string
    readonly $device_id: string
  }
}

// The loop that one would write without thinking of tools; as a stream, since a day may be of any size.
await contender(async ({ folder }: { readonly folder: string }) => {
  const start = performance.now()
  const counts = new Map<string, number>()
  let rows = 0
  for (const file of readdirSync(folder)) {
    const input = createReadStream(join(folder, file))
    for await (const text of createInterface({ input })) {
      const { event, properties } = JSON.parse(text) as Line
      const day = new Date(properties.time * 1000).toISOString().slice(0, 10)
      const key = `${properties.$user_id ?? properties.$device_id}|${event}|${day}`
      counts.set(key, (counts.get(key) ?? 0) + 1)
      rows++
    }
  }
  return { seconds: (performance.now() - start) / 1000, rows, groups: counts.size }
})
