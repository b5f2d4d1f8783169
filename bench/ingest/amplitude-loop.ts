import { createReadStream, readdirSync } from 'node:fs'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { createGunzip } from 'node:zlib'
import { contender } from '../child.ts'

interface Line {
  readonly user_id: string | null
  readonly device_id: string
  readonly event_type: string
  readonly event_time: string
}

// The loop that one would write without thinking of tools; as a stream, since an hour may be of any size.
await contender(async ({ folder }: { readonly folder: string }) => {
  const start = performance.now()
  const counts = new Map<string, number>()
  let rows = 0
  for (const file of readdirSync(folder)) {
    const input = createReadStream(join(folder, file)).pipe(createGunzip())
    for await (const text of createInterface({ input })) {
      const line = JSON.parse(text) as Line
      const profile = line.user_id ?? line.device_id
      const key = `${profile}|${line.event_type}|${line.event_time.slice(0, 10)}`
      counts.set(key, (counts.get(key) ?? 0) + 1)
      rows++
    }
  }
  return { seconds: (performance.now() - start) / 1000, rows, groups: counts.size }
})
