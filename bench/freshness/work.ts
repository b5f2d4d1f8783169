import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { gzipSync } from 'node:zlib'
import { createApi } from '../../src/app/api/api.ts'
import { listenApi } from '../../src/app/api/server.ts'
import { type App, compose } from '../../src/app/compose.ts'
import { readConfig } from '../../src/infra/config.ts'
import { tuneHeap } from '../../src/infra/heap.ts'
import { readMappingFolder } from '../../src/infra/mappings/folder.ts'
import { publishMapping } from '../../src/infra/mappings/published.ts'
import { STEPS } from '../../src/infra/postgres/work.ts'
import { contender } from '../child.ts'
import { deedsOf, email, PEOPLE, QUALIFIED, userId } from './population.ts'
import { arrivalOf, timelineSince } from './timeline.ts'
import type { PortalTimes } from './vendor.ts'

export interface WorkInput {
  readonly baseUrl: string
  readonly dataDir: string
  readonly databaseUrl?: string | undefined
}

/** Seconds since the window's arrival, sorted. */
export interface WorkOutput {
  readonly contacts: readonly number[]
  readonly companies: readonly number[]
  readonly tasks: readonly number[]
  readonly others: readonly number[]
  readonly posted: number
  /** What was done when, from the arrival on, a line each. */
  readonly timeline: readonly string[]
}

const MAPPINGS = fileURLToPath(new URL('../../mappings', import.meta.url))
const TOKEN = 'bench-webhook-token'
const PER_SECOND = 20
const WARM_UP_MS = 3_000
const PATIENCE_MS = 60_000
const HOUR_MS = 3_600_000

tuneHeap()
await contender(async (input: WorkInput): Promise<WorkOutput & { seconds: number }> => {
  const config = readConfig({
    RIPEN_DATA_DIR: input.dataDir,
    RIPEN_LOG_LEVEL: 'error',
    RIPEN_PORT: '0',
    HUBSPOT_BASE_URL: input.baseUrl,
    HUBSPOT_ACCESS_TOKEN: 'sandbox-token',
    AMPLITUDE_WEBHOOK_TOKEN: TOKEN,
    ...(input.databaseUrl ? { DATABASE_URL: input.databaseUrl } : {}),
  })
  const app = await compose({ config })
  const server = await listenApi(createApi(app), config)
  try {
    const files = Object.entries(await readMappingFolder(MAPPINGS))
    const mappings = files.filter(([name]) => !name.startsWith('presets/'))
    await publishMapping(app.context.db, 'bench', Object.fromEntries(mappings))
    app.engine.start(STEPS, ['hubspot'])
    const now = Date.now()
    await pullAll(app, await exportFile(input.dataDir, now - 48 * HOUR_MS, false))
    const startedAt = performance.now()
    const over = new AbortController()
    const load = press(server.url, over.signal)
    await sleep(WARM_UP_MS)
    const since = Date.now()
    const window = await exportFile(input.dataDir, now - HOUR_MS, true)
    await app.engine.request('pull', 'amplitude', { files: [window] })
    const [there] = await Promise.allSettled([untilThere(input, since)])
    over.abort()
    const posted = await load
    if (there.status === 'rejected') throw there.reason
    const times = there.value
    const { db } = app.context
    const arrived = await arrivalOf(db, since)
    const after = (all: readonly number[]) =>
      all.map((at) => (at - arrived) / 1000).sort((a, b) => a - b)
    return {
      seconds: (performance.now() - startedAt) / 1000,
      contacts: after(times.contacts),
      companies: after(times.companies),
      tasks: after(times.tasks),
      others: after(times.others),
      posted,
      timeline: await timelineSince(db, arrived),
    }
  } finally {
    await server.close()
    await app.close()
  }
})

/** Everybody is known and in the portal as they should be, before anything is measured. */
async function pullAll({ engine }: App, file: string): Promise<void> {
  await engine.request('pull', 'amplitude', { files: [file] })
  for (const step of ['pull', 'rollup', 'identity', 'score', 'desire', 'reconcile'] as const) {
    await engine.idle([step])
  }
}

/** An hour of an export, with what everybody did in it. */
async function exportFile(dir: string, at: number, isWindow: boolean): Promise<string> {
  const hour = new Date(at).toISOString()
  const rows: string[] = []
  for (let person = 0; person < PEOPLE; person++) {
    for (const [n, event] of deedsOf(person, isWindow).entries()) {
      rows.push(rowOf(person, event, at, `${hour.slice(0, 13)} ${person} ${n}`))
    }
  }
  const folder = join(dir, 'exports')
  await mkdir(folder, { recursive: true })
  const name = `900001_${hour.slice(0, 10)}_${Number(hour.slice(11, 13))}#0.json.gz`
  const path = join(folder, name)
  await writeFile(path, gzipSync(`${rows.join('\n')}\n`))
  return path
}

function rowOf(person: number, event: string, at: number, id: string): string {
  const time = `${new Date(at).toISOString().replace('T', ' ').replace('Z', '')}000`
  return JSON.stringify({
    ...{ $insert_id: id, uuid: crypto.randomUUID(), event_type: event, event_time: time },
    ...{ server_upload_time: time, user_id: userId(person), event_properties: {} },
    ...{ user_properties: { email: email(person) }, groups: {}, platform: 'Web' },
  })
}

/** Posts events of random people until it is told to stop. */
async function press(url: string, over: AbortSignal): Promise<number> {
  const startedAt = performance.now()
  const answers: Promise<void>[] = []
  while (!over.aborted) {
    const due = ((performance.now() - startedAt) / 1000) * PER_SECOND
    while (answers.length < due) answers.push(post(url, answers.length))
    await sleep(10)
  }
  await Promise.all(answers)
  return answers.length
}

async function post(url: string, n: number): Promise<void> {
  const person = Math.floor(Math.random() * PEOPLE)
  const body = rowOf(person, 'Query Run', Date.now(), `webhook ${n}`)
  const headers = { 'content-type': 'application/json' }
  const response = await fetch(`${url}/ingest/amplitude/${TOKEN}`, {
    method: 'POST',
    headers,
    body,
  })
  if (response.status !== 200) throw new Error(`an event was answered ${response.status}`)
  await response.arrayBuffer()
}

/** @throws when somebody who is qualified is not in the portal in time. */
async function untilThere({ baseUrl }: WorkInput, since: number): Promise<PortalTimes> {
  const deadline = performance.now() + PATIENCE_MS
  const others = PEOPLE - 4 * QUALIFIED
  for (;;) {
    const response = await fetch(`${baseUrl}/bench/times/${since}`)
    const times = (await response.json()) as PortalTimes
    const isThere = [times.contacts, times.companies, times.tasks].every(
      ({ length }) => length >= QUALIFIED,
    )
    if (isThere && times.others.length >= others * 0.99) return times
    if (performance.now() > deadline) {
      const { contacts, companies, tasks } = times
      const found = `${contacts.length} contacts, ${companies.length} companies, ${tasks.length} tasks, ${times.others.length} others`
      throw new Error(`not everything reached the portal: ${found}`)
    }
    await sleep(500)
  }
}
