import { readEffective } from '../infra/mappings/published.ts'
import type { Db } from '../infra/postgres/database.ts'
import { type SyncResult, sinceNow, syncResult } from './cli/commands/sync.ts'
import type { App } from './compose.ts'
import type { DemoClock } from './demo-clock.ts'
import type { Reps } from './demo-reps.ts'

const DAY_MS = 86_400_000
const CRM = 'hubspot'

/** How many days are played, one look at each. */
export const LOOKS = 30

/** What one look found and cost. */
export interface DemoLook {
  /** The UTC day at which it was taken, such as `2026-11-30`. */
  readonly day: string
  /** Contacts and companies that were created or updated. */
  readonly recordsWritten: number
  readonly writeCalls: number
  readonly readCalls: number
  readonly tasks: number
}

/** The moments at which the demo looks: midnights, and in the end the morning after the last day. */
export function lookTimes(end: Date, morningMs: number): Date[] {
  return Array.from({ length: LOOKS }, (_, index) => {
    const at = end.getTime() - (LOOKS - 1 - index) * DAY_MS
    return new Date(index === LOOKS - 1 ? at + morningMs : at)
  })
}

/** Looks once, as a worker would on that day: what the CRM says, scores, then what to write. */
export async function lookOnce(app: App, clock: DemoClock, at: Date): Promise<SyncResult> {
  clock.set(at)
  const { engine } = app
  const since = await sinceNow(app)
  await engine.request('listen', CRM)
  await engine.idle(['listen'], [CRM])
  await engine.request('score', 'all')
  await engine.idle(['score', 'desire'])
  await engine.idle(['reconcile'], [CRM])
  // What deals and tasks said is scored and written on the same day.
  await engine.idle(['identity', 'score', 'desire'])
  await engine.idle(['reconcile'], [CRM])
  return syncResult(app, CRM, since)
}

export function lookOf(at: Date, result: SyncResult): DemoLook {
  const { recordsWritten, writeCalls, readCalls, tasks } = result
  return { day: at.toISOString().slice(0, 10), recordsWritten, writeCalls, readCalls, tasks }
}

/** Scores as they stood at one look: by model and subject. */
type Scores = ReadonlyMap<string, number>

/** Follows how scores move about the line into `qualified`. */
export interface Restless {
  note(): Promise<void>
  /** @param since the first look: what changed at it was never otherwise. */
  result(since: Date): Promise<Restlessness>
}

/** How restless scores and statuses were, over everybody and all looks after the first. */
export interface Restlessness {
  /** How often a score passed the line into `qualified`, up or down. */
  readonly crossings: number
  /** How often a status became `qualified` or stopped being so. */
  readonly qualifiedChanges: number
  /** Most changes of the usage status of one person or account. */
  readonly mostChanges: number
  /** The same of the team about the line: its score at each look, and both counts. */
  readonly wavering: {
    readonly domain: string
    readonly scores: readonly (number | null)[]
    readonly crossings: number
    readonly changes: number
  }
}

export function followRestlessness(db: Db, domain: string): Restless {
  const looks: Scores[] = []
  return {
    async note() {
      const rows = await db.selectFrom('score').select(['subject_id', 'model', 'score']).execute()
      looks.push(new Map(rows.map((row) => [`${row.model} ${row.subject_id}`, row.score])))
    },
    async result(since) {
      const { set } = await readEffective(db)
      const enters = new Map([...set.models].map(([id, { status }]) => [id, status.enter]))
      const account = await db
        .selectFrom('account')
        .select('id')
        .where('domain', '=', domain)
        .executeTakeFirst()
      const own = `accounts ${account?.id}`
      const changes = await statusChanges(db, since)
      const bySubject = new Map<string, number>()
      for (const { key } of changes) bySubject.set(key, (bySubject.get(key) ?? 0) + 1)
      return {
        crossings: [...keysOf(looks)].reduce((n, key) => n + crossingsOf(looks, key, enters), 0),
        qualifiedChanges: changes.filter(({ isEntry }) => isEntry).length,
        mostChanges: Math.max(0, ...bySubject.values()),
        wavering: {
          domain,
          scores: looks.map((look) => look.get(own) ?? null),
          crossings: crossingsOf(looks, own, enters),
          changes: bySubject.get(own) ?? 0,
        },
      }
    },
  }
}

const keysOf = (looks: readonly Scores[]): ReadonlySet<string> =>
  new Set(looks.flatMap((look) => [...look.keys()]))

function crossingsOf(
  looks: readonly Scores[],
  key: string,
  enters: ReadonlyMap<string, number>,
): number {
  const line = enters.get(key.split(' ')[0] ?? '') ?? Number.POSITIVE_INFINITY
  const above = looks.map((look) => (look.get(key) ?? 0) >= line)
  return above.filter((one, index) => index > 0 && one !== above[index - 1]).length
}

async function statusChanges(db: Db, since: Date) {
  const rows = await db
    .selectFrom('score_change')
    .select(['subject_id', 'model', 'from_status', 'to_status'])
    .where('as_of', '>', since)
    .execute()
  return rows
    .filter(({ from_status: from, to_status: to }) => from !== null && to !== null && from !== to)
    .map(({ subject_id, model, from_status, to_status }) => ({
      key: `${model} ${subject_id}`,
      isEntry: from_status === 'qualified' || to_status === 'qualified',
    }))
}

/** Plays the days after the first one, with what reps answer in between. */
export async function playDays(
  app: App,
  clock: DemoClock,
  times: readonly Date[],
  { reps, restless }: { readonly reps: Reps; readonly restless: Restless },
  onDay: (done: number) => void,
): Promise<readonly DemoLook[]> {
  const looks: DemoLook[] = []
  for (const at of times) {
    looks.push(lookOf(at, await lookOnce(app, clock, at)))
    await restless.note()
    reps.act(at)
    onDay(looks.length)
  }
  return looks
}
