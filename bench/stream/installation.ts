import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import pg from 'pg'
import { sampleCompany } from '../../sandbox/company/sample-company.ts'
import { startSandboxServer } from '../../sandbox/sandbox-server.ts'

const RIPEN = fileURLToPath(new URL('../../src/app/cli/ripen.ts', import.meta.url))
const MAPPINGS = fileURLToPath(new URL('../../mappings', import.meta.url))
const DAY_MS = 86_400_000
const DAYS = 90

export const TOKEN = 'bench-webhook-token'

/** Your PostgreSQL and Redis, or neither for the embedded default. */
export interface Services {
  readonly databaseUrl: string
  readonly redisUrl: string
}

/** An installation with the sample company in it, and an API and a worker as processes of their own. */
export interface Running {
  readonly url: string
  /** For a look at the scores. */
  readonly databaseUrl: string
  stop(): Promise<void>
}

export type Environment = Readonly<Record<string, string>>

/** Pulls and scores 90 days of the sample company with the command line, as a person would. */
export async function seed(
  dir: string,
  environment: Environment,
  signal: AbortSignal,
): Promise<void> {
  const end = new Date(Math.floor(Date.now() / DAY_MS) * DAY_MS)
  const company = sampleCompany({ end, days: DAYS })
  const sandbox = await startSandboxServer({
    port: 0,
    seed: false,
    company,
    dataDir: join(dir, 'hubspot'),
  })
  const start = new Date(end.getTime() - DAYS * DAY_MS).toISOString().slice(0, 10)
  const { HUBSPOT_ACCESS_TOKEN: _, ...vendors } = sandbox.environment
  const all = { ...environment, ...vendors, AMPLITUDE_START: start, MIXPANEL_START: start }
  try {
    for (const command of ['pull', 'score']) {
      const child = startRipen([command, '--json', '--mappings', MAPPINGS], all)
      child.stdout?.resume()
      const stop = () => child.kill('SIGTERM')
      signal.addEventListener('abort', stop, { once: true })
      const [code] = await once(child, 'exit')
      signal.removeEventListener('abort', stop)
      if (code !== 0) throw new Error(`ripen ${command} ended with ${code}`)
    }
  } finally {
    await sandbox.close()
  }
}

/** Starts `ripen serve` and `ripen worker`, and waits until both have spoken. */
export async function startInstallation(
  environment: Environment,
): Promise<Omit<Running, 'databaseUrl'>> {
  const webhook = { ...environment, RIPEN_PORT: '0', AMPLITUDE_WEBHOOK_TOKEN: TOKEN }
  const server = startRipen(['serve', '--json'], webhook)
  const worker = startRipen(['worker', '--json'], environment)
  const stop = async () => {
    for (const child of [server, worker]) {
      if (child.exitCode !== null || child.signalCode !== null) continue
      const ended = once(child, 'exit')
      child.kill('SIGTERM')
      await ended
    }
  }
  try {
    const [told] = await Promise.all([firstObject(server), firstObject(worker)])
    return { url: String(told['api']), stop }
  } catch (error) {
    await stop()
    throw error
  }
}

function startRipen(args: readonly string[], environment: Environment): ChildProcess {
  return spawn(process.execPath, [RIPEN, ...args], {
    stdio: ['ignore', 'pipe', 'inherit'],
    env: { PATH: process.env['PATH'] ?? '', RIPEN_LOG_LEVEL: 'error', ...environment },
  })
}

/** The JSON object that a command prints once it is there. */
async function firstObject(child: ChildProcess): Promise<Record<string, unknown>> {
  if (!child.stdout) throw new Error('no stdout')
  let text = ''
  for await (const line of createInterface({ input: child.stdout })) {
    text += line
    if (line === '}') {
      child.stdout.resume()
      return JSON.parse(text)
    }
  }
  throw new Error('a process of Ripen ended before it was there')
}

/** A database of our own beside the one that is named; it is dropped at the end. */
export async function ownDatabase(
  url: string,
): Promise<{ readonly url: string; drop(): Promise<void> }> {
  const name = `ripen_bench_${process.pid}_${Date.now().toString(36)}`
  const own = new URL(url)
  own.pathname = `/${name}`
  const run = async (statement: string) => {
    const client = new pg.Client({ connectionString: url })
    await client.connect()
    try {
      await client.query(statement)
    } finally {
      await client.end()
    }
  }
  await run(`create database ${name}`)
  return { url: own.href, drop: () => run(`drop database if exists ${name} with (force)`) }
}
