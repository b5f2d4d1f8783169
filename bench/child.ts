import { fork } from 'node:child_process'
import { readFileSync } from 'node:fs'

/** What a contender says about its run. */
export interface ContenderResult {
  /** Time of the work alone: without start, connections and end of the process. */
  readonly seconds: number
  /** Of the whole process, its start included: less shaken by other processes than `seconds`. */
  readonly cpuSeconds: number
  readonly peakRssMb: number
}

/**
 * Runs a contender in a process of its own, so that neither memory nor warmed code is shared. Its
 * stdout goes to stderr. On abort it gets SIGTERM, and is waited for.
 */
export function runContender<Input, Output>(
  script: URL,
  input: Input,
  signal: AbortSignal,
): Promise<Output & ContenderResult> {
  return new Promise((resolve, reject) => {
    signal.throwIfAborted()
    const child = fork(script, [JSON.stringify(input)], {
      stdio: ['ignore', 2, 'inherit', 'ipc'],
    })
    const stop = () => child.kill('SIGTERM')
    signal.addEventListener('abort', stop, { once: true })
    let answer: (Output & ContenderResult) | null = null
    child.on('message', (message) => {
      answer = message as Output & ContenderResult
    })
    child.on('error', reject)
    child.on('close', (code, killedBy) => {
      signal.removeEventListener('abort', stop)
      if (code === 0 && answer !== null) resolve(answer)
      else reject(new Error(`${script.pathname} ended with ${killedBy ?? code}`))
    })
  })
}

/** The other side: does the work of a contender's process and answers. */
export async function contender<Input, Output>(
  work: (input: Input) => Promise<Output & { readonly seconds: number }>,
): Promise<void> {
  const result = await work(JSON.parse(process.argv[2] ?? '') as Input)
  const { user, system } = process.cpuUsage()
  const cpuSeconds = (user + system) / 1e6
  process.send?.({ ...result, cpuSeconds, peakRssMb: peakRssMb() }, () => process.disconnect())
}

/**
 * Linux counts what the parent held before `exec` into `maxRSS`, but not into VmHWM. Elsewhere there is
 * only `maxRSS`.
 */
function peakRssMb(): number {
  try {
    const kb = /VmHWM:\s+(\d+) kB/.exec(readFileSync('/proc/self/status', 'utf8'))?.[1]
    if (kb) return Number(kb) / 1024
  } catch {
    // No /proc here.
  }
  return process.resourceUsage().maxRSS / 1024
}
