import { Agent, request } from 'node:http'
import { setTimeout as sleep } from 'node:timers/promises'
import type pg from 'pg'
import { TOKEN } from './installation.ts'

const EVENTS_PER_SECOND = 500
/** Not measured: code that was never run before, caches that are empty. */
const WARM_UP_MS = 5_000
const MEASURED_MS = 20_000
/** Every so many events one is followed to its score. */
const PROBE_EVERY = 10
const LOOK_EVERY_MS = 20
const PATIENCE_MS = 30_000
const TICK_MS = 10

const NAMES = ['Query Run', 'Dashboard Viewed', 'Report Exported', 'Dashboard Created']

export interface LoadResult {
  /** From the start of a post to the row of the score, in seconds, sorted. */
  readonly latencies: readonly number[]
  readonly posted: number
  readonly perSecond: number
}

interface Probe {
  readonly personId: string
  /** The event's time; the score tells when the person was active last. */
  readonly at: number
  readonly startedAt: number
}

/**
 * Posts single events of random people who are known, and follows some of them until the row of the
 * person's score speaks of them.
 * @throws when an event is refused, or does not reach its score.
 */
export async function pressOn(
  url: string,
  client: pg.Client,
  signal: AbortSignal,
): Promise<LoadResult> {
  const users = await readUsers(client)
  const agent = new Agent({ keepAlive: true, maxSockets: 64 })
  const open = new Set<Probe>()
  const latencies: number[] = []
  const startedAt = performance.now()
  const over = new AbortController()
  const watching = watch(client, open, latencies, over.signal)
  try {
    const posted = await postAll(url, agent, users, signal, (probe, n) => {
      const isMeasured = probe.startedAt - startedAt > WARM_UP_MS && n % PROBE_EVERY === 0
      if (isMeasured) open.add(probe)
    })
    const deadline = performance.now() + PATIENCE_MS
    while (open.size > 0 && performance.now() < deadline) await sleep(TICK_MS)
    if (open.size > 0) throw new Error(`${open.size} events did not reach a score`)
    return { ...posted, latencies: latencies.sort((a, b) => a - b) }
  } finally {
    over.abort()
    await watching
    agent.destroy()
  }
}

/** @throws when an event is refused, or fewer are posted in a second than should be. */
async function postAll(
  url: string,
  agent: Agent,
  users: readonly User[],
  signal: AbortSignal,
  onPost: (probe: Probe, n: number) => void,
): Promise<{ posted: number; perSecond: number }> {
  const answers: Promise<void>[] = []
  const startedAt = performance.now()
  let posted = 0
  while (performance.now() - startedAt < WARM_UP_MS + MEASURED_MS) {
    signal.throwIfAborted()
    const due = ((performance.now() - startedAt) / 1000) * EVENTS_PER_SECOND
    for (; posted < due; posted++) {
      const user = users[Math.floor(Math.random() * users.length)]
      if (!user) throw new Error('nobody is known')
      const probe = { personId: user.personId, at: Date.now(), startedAt: performance.now() }
      onPost(probe, posted)
      answers.push(post(url, agent, eventOf(user.userId, probe.at, posted)))
    }
    await sleep(TICK_MS)
  }
  const perSecond = posted / ((performance.now() - startedAt) / 1000)
  await Promise.all(answers)
  if (perSecond < EVENTS_PER_SECOND * 0.95)
    throw new Error(`only ${perSecond} events/s were posted`)
  return { posted, perSecond }
}

interface User {
  readonly userId: string
  readonly personId: string
}

async function readUsers(client: pg.Client): Promise<User[]> {
  const { rows } = await client.query(
    `select split_part(node, 'amplitude/u:', 2) as "userId", person_id as "personId"
     from identity_node join score on subject_id = person_id and subject = 'person'
     where node like 'amplitude/u:%'`,
  )
  return rows
}

/** A row of Amplitude's event streaming. */
function eventOf(userId: string, at: number, n: number): string {
  const time = `${new Date(at).toISOString().replace('T', ' ').replace('Z', '')}000`
  return JSON.stringify({
    uuid: `bbbbbbbb-0000-4000-8000-${String(n).padStart(12, '0')}`,
    event_type: NAMES[n % NAMES.length],
    event_time: time,
    server_upload_time: time,
    user_id: userId,
    event_properties: { rows: n % 100, duration_ms: n % 977 },
    user_properties: { plan: 'trial' },
    groups: {},
    platform: 'Web',
    library: 'amplitude-ts/2.11.1',
  })
}

function post(url: string, agent: Agent, body: string): Promise<void> {
  return new Promise((resolve, reject) => {
    const headers = {
      'content-type': 'application/json',
      'content-length': Buffer.byteLength(body),
    }
    const call = request(
      `${url}/ingest/amplitude/${TOKEN}`,
      { method: 'POST', agent, headers },
      (response) => {
        response.resume()
        response.on('end', () => {
          if (response.statusCode === 200) resolve()
          else reject(new Error(`an event was answered ${response.statusCode}`))
        })
      },
    )
    call.on('error', reject)
    call.end(body)
  })
}

/** Looks at the scores of those who are waited for, again and again. */
async function watch(
  client: pg.Client,
  open: Set<Probe>,
  latencies: number[],
  over: AbortSignal,
): Promise<void> {
  while (!over.aborted) {
    if (open.size > 0) {
      const waiting = [...open]
      const { rows } = await client.query(
        `select subject_id, max((facts->>'lastActive')::timestamptz) as at from score
         where subject = 'person' and subject_id = any($1) group by subject_id`,
        [waiting.map((probe) => probe.personId)],
      )
      const seenAt = performance.now()
      const active = new Map(rows.map((row) => [String(row.subject_id), Number(row.at)]))
      for (const probe of waiting) {
        if ((active.get(probe.personId) ?? 0) < probe.at) continue
        open.delete(probe)
        latencies.push((seenAt - probe.startedAt) / 1000)
      }
    }
    await sleep(LOOK_EVERY_MS)
  }
}
