import { spawn } from 'node:child_process'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { eventually } from './embedded-processes.ts'
import { captureCommand } from './log-capture.ts'
import { testServers } from './test-servers.ts'

const RIPEN = join(import.meta.dirname, '../../src/app/cli/ripen.ts')

/** A command says its first word only after it has started everything. */
const SAYS_WITHIN_MS = 50_000

type Environment = Readonly<Record<string, string>>

/** How a command ended. */
export interface Ran {
  /** Null when a signal ended it. */
  readonly code: number | null
  readonly signal: NodeJS.Signals | null
  readonly stdout: string
  readonly stderr: string
}

/** A command that runs. */
export interface Running {
  readonly pid: number
  readonly ended: Promise<Ran>
  kill(signal: NodeJS.Signals): void
  /** Waits until stdout holds one whole JSON object. */
  json(): Promise<Record<string, unknown>>
  /** Waits until stderr holds a match. */
  says(pattern: RegExp): Promise<RegExpMatchArray>
  /** Types a line on stdin. */
  type(line: string): void
}

const running = new Set<{ kill(signal: NodeJS.Signals): void; ended: Promise<unknown> }>()

/** Starts `ripen …` as a process of its own, with these variables and no others. */
export function startRipen(args: readonly string[], environment: Environment = {}): Running {
  const child = spawn(process.execPath, ['--disable-warning=ExperimentalWarning', RIPEN, ...args], {
    cwd: tmpdir(),
    stdio: ['pipe', 'pipe', 'pipe'],
    env: {
      PATH: process.env['PATH'],
      HOME: tmpdir(),
      // Half of a short command's time is compiling.
      NODE_COMPILE_CACHE: join(testServers().folder, 'compiled'),
      RIPEN_LOG_LEVEL: 'trace',
      ...environment,
    },
  })
  let [stdout, stderr] = ['', '']
  child.stdout.setEncoding('utf8').on('data', (text) => {
    stdout += text
  })
  child.stderr.setEncoding('utf8').on('data', (text) => {
    stderr += text
  })
  const ended = new Promise<Ran>((resolve) => {
    child.on('close', (code, signal) => resolve({ code, signal, stdout, stderr }))
  })
  const entry = { kill: (signal: NodeJS.Signals) => void child.kill(signal), ended }
  running.add(entry)
  void ended.then(() => {
    captureCommand(stderr)
    running.delete(entry)
  })
  return {
    pid: child.pid ?? -1,
    ended,
    kill: entry.kill,
    type: (line) => void child.stdin.write(`${line}\n`),
    says: (pattern) =>
      eventually(
        `${args[0]} says ${pattern}`,
        async () => {
          if (child.exitCode !== null) throw new Error(`it ended with ${child.exitCode}: ${stderr}`)
          return pattern.exec(stderr) ?? undefined
        },
        SAYS_WITHIN_MS,
      ),
    json: () =>
      eventually(`${args[0]} prints its object`, async () => {
        if (child.exitCode !== null) throw new Error(`it ended with ${child.exitCode}: ${stderr}`)
        try {
          return JSON.parse(stdout) as Record<string, unknown>
        } catch {
          return undefined
        }
      }),
  }
}

/** Runs `ripen …` to its end. */
export function ripen(args: readonly string[], environment: Environment = {}): Promise<Ran> {
  return startRipen(args, environment).ended
}

/**
 * Runs a command that must succeed, with `--json`.
 * @returns its one object.
 */
export async function ripenJson<T = Record<string, unknown>>(
  args: readonly string[],
  environment: Environment = {},
): Promise<T> {
  const { code, stdout, stderr } = await ripen([...args, '--json'], environment)
  if (code !== 0) throw new Error(`ripen ${args.join(' ')} ended with ${code}: ${stderr}`)
  return JSON.parse(stdout) as T
}

/** Ends what still runs; for `afterAll`. */
export async function endCommands(): Promise<void> {
  for (const { kill, ended } of [...running]) {
    kill('SIGKILL')
    await ended
  }
}
