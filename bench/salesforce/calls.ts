import type { SandboxCall } from '../../sandbox/salesforce/api/sandbox-call.ts'

/** What the org counts, by what it was for. */
export interface CallReport {
  /** All that count towards the org's quota. */
  readonly counted: number
  readonly kinds: Readonly<Record<string, number>>
  /** Calls that may write: of records, or for jobs. */
  readonly writes: number
  /** Tokens that were given out, and questions for one that were refused. */
  readonly tokens: number
  readonly tokensRefused: number
  /** Calls that bore a token that had ended. */
  readonly unauthorised: number
}

const TOKEN = '/services/oauth2/token'

/** What the calls of one sync were. */
export function reportCalls(calls: readonly SandboxCall[]): CallReport {
  const tokens = calls.filter(({ path }) => path === TOKEN)
  const counted = calls.filter((call) => kindOf(call) !== null && call.status !== 401)
  const kinds: Record<string, number> = {}
  for (const call of counted) {
    const kind = kindOf(call) ?? ''
    kinds[kind] = (kinds[kind] ?? 0) + 1
  }
  const sum = (...names: string[]) => names.reduce((all, name) => all + (kinds[name] ?? 0), 0)
  return {
    kinds,
    counted: counted.length,
    writes: sum('collections', 'job created', 'job uploaded', 'job changed'),
    tokens: tokens.filter(({ status }) => status === 200).length,
    tokensRefused: tokens.filter(({ status }) => status !== 200).length,
    unauthorised: calls.filter(({ status }) => status === 401).length,
  }
}

/** Null for what the org does not count: tokens, and the list of its versions. */
function kindOf({ method, path }: SandboxCall): string | null {
  const [, below] = /^\/services\/data\/v[\d.]+\/(.+)$/.exec(path) ?? []
  if (below === undefined) return null
  if (below === 'composite' || /^query(All)?$/.test(below)) return 'queries'
  if (/^query(All)?\//.test(below)) return 'further pages'
  if (below.startsWith('composite/sobjects')) return 'collections'
  if (below === 'jobs/ingest') return 'job created'
  if (!below.startsWith('jobs/ingest/')) return below.endsWith('/describe') ? 'describe' : below
  if (method === 'PUT') return 'job uploaded'
  if (method === 'PATCH') return 'job changed'
  return /\/\w+\/\w+\/?$/.test(below.slice('jobs/ingest'.length)) ? 'job results' : 'job polled'
}
