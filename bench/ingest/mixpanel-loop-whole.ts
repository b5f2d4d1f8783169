import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { contender } from '../child.ts'

interface Line {
  readonly event: string
  readonly properties: {
    readonly time: number
    readonly $user_id?: string
    readonly $device_id: string
  }
}

// The same with each file whole in memory, three times: faster than streams, as long as files are small.
await contender(async ({ folder }: { readonly folder: string }) => {
  const start = performance.now()
  const counts = new Map<string, number>()
  let rows = 0
  for (const file of readdirSync(folder)) {
    for (const text of readFileSync(join(folder, file), 'utf8').split('\n')) {
      if (text === '') continue
      const { event, properties } = JSON.parse(text) as Line
      const day = new Date(properties.time * 1000).toISOString().slice(0, 10)
      const key = `${properties.$user_id ?? properties.$device_id}|${event}|${day}`
      counts.set(key, (counts.get(key) ?? 0) + 1)
      rows++
    }
  }
  return { seconds: (performance.now() - start) / 1000, rows, groups: counts.size }
})
