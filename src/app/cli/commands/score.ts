import { ConfigError } from '../../../core/errors.ts'
import { readRanking } from '../../ranking.ts'
import { readStatus } from '../../status.ts'
import { createProgressFeed } from '../progress.ts'
import { rankingTable } from '../tables.ts'
import { type CommonOptions, print, printJson, withApp } from '../with-app.ts'

interface ScoreOptions extends CommonOptions {
  readonly asOf?: string
  readonly knownAt?: string
}

const TOP = 10

/** `ripen score`: scores everybody, now or as of a day in the past. */
export async function scoreCommand(options: ScoreOptions): Promise<void> {
  const asOf = options.asOf === undefined ? null : parseAsOf(options.asOf, new Date())
  const past = asOf && { asOf: asOf.toISOString(), ...knownAtOf(options, new Date()) }
  if (!past && options.knownAt !== undefined) {
    throw new ConfigError('--known-at goes with --as-of: say which day is looked at')
  }
  const feed = createProgressFeed()
  await withApp({ ...options, onProgress: feed.onProgress }, async ({ context, engine }) => {
    engine.start(['rollup', 'identity', 'score', 'desire', 'rebuild'], [])
    const line = {
      title: asOf ? `Score as of ${asOf.toISOString()}` : 'Score',
      steps: ['score', 'rebuild'] as const,
      run: async () => {
        // What a changed mapping asked for comes first.
        await engine.wake(['rollup', 'identity', 'rebuild'])
        await engine.idle(['rollup', 'identity', 'rebuild'])
        await engine.request('score', 'all', past ?? undefined)
        await engine.idle(['score', 'desire'])
        const status = await readStatus(context.db)
        return `${status.qualifiedPeople} people and ${status.qualifiedAccounts} accounts qualified`
      },
    }
    await feed.show([line], options.json === true)
    const people = await readRanking(context.db, 'person', { limit: TOP })
    const accounts = await readRanking(context.db, 'account', { limit: TOP })
    const { qualifiedPeople, qualifiedAccounts } = await readStatus(context.db)
    if (options.json) return printJson({ qualifiedPeople, qualifiedAccounts, people, accounts })
    print(`\nTop people\n${rankingTable(people)}\n\nTop accounts\n${rankingTable(accounts)}`)
  })
}

/** What was known at any instant up to now can be asked for. */
function knownAtOf({ knownAt }: ScoreOptions, now: Date): { readonly knownAt?: string } {
  if (knownAt === undefined) return {}
  const at = parseInstant('--known-at', knownAt)
  if (at > now) throw new ConfigError(`--known-at ${knownAt} lies in the future`)
  return { knownAt: at.toISOString() }
}

function parseInstant(option: string, text: string): Date {
  const at = new Date(text)
  const known = /^\d{4}-\d{2}-\d{2}(T\d{2}:\d{2}(:\d{2}(\.\d+)?)?Z)?$/.test(text)
  if (!known || Number.isNaN(at.getTime())) {
    throw new ConfigError(
      `${option} ${text} is no instant; write 2026-09-30 or 2026-09-30T00:00:00Z`,
    )
  }
  return at
}

/** A past `asOf` is a UTC day boundary: rollups hold whole days. */
function parseAsOf(text: string, now: Date): Date {
  const at = parseInstant('--as-of', text)
  if (at > now) throw new ConfigError(`--as-of ${text} lies in the future`)
  if (at.getTime() % 86_400_000 !== 0) {
    throw new ConfigError(
      `--as-of ${text} must be a UTC day boundary, such as ${text.slice(0, 10)}T00:00:00Z`,
    )
  }
  return at
}
