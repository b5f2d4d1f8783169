import { Listr } from 'listr2'
import type { Progress } from '../../../jobs/context.ts'
import { estimateMs } from '../../core/usage/ledger.ts'
import type { Step } from '../../infra/postgres/work.ts'

/** One line of the list that a person watches. */
export interface ProgressLine {
  readonly title: string
  /** Progress of these steps is shown on the line. */
  readonly steps: readonly Step[]
  /** Does the work; what it returns is shown when it is done. */
  run(): Promise<string>
}

/** Takes progress from the jobs and gives it to whichever line is shown. */
export interface ProgressFeed {
  readonly onProgress: (progress: Progress) => void
  show(lines: readonly ProgressLine[], silent: boolean): Promise<void>
}

/** A live list on a terminal, plain lines otherwise, nothing with `--json`. */
export function createProgressFeed(): ProgressFeed {
  let told: ((progress: Progress) => void) | null = null
  return {
    onProgress: (progress) => told?.(progress),
    async show(lines, silent) {
      const renderer = silent ? 'silent' : process.stdout.isTTY ? 'default' : 'simple'
      const list = new Listr(
        lines.map((line) => ({
          title: line.title,
          task: async (_context: unknown, task: { title: string; output: string }) => {
            const due = renderer === 'simple' ? seldom() : () => true
            const describe = createDescription(renderer === 'default')
            told = (p) => {
              if (!line.steps.includes(p.step)) return
              const text = describe(p, performance.now())
              if (due(p)) task.output = text
            }
            const result = await line.run()
            task.title = `${line.title}: ${result}`
          },
        })),
        { renderer, silentRendererCondition: silent, fallbackRendererCondition: false } as never,
      )
      await list.run()
      told = null
    },
  }
}

const BAR = 24

/**
 * Describes how far something is, with a bar on a terminal, and how long the rest takes when it goes on
 * as it did since it was first told.
 */
export function createDescription(withBar: boolean): (progress: Progress, nowMs: number) => string {
  const first = new Map<string, { done: number; atMs: number }>()
  return (p, nowMs) => {
    const name = `${p.step} ${p.key}`
    const since = first.get(name) ?? { done: p.done, atMs: nowMs }
    first.set(name, since)
    const left = p.total - p.done
    const ms = estimateMs(p.done - since.done, left, nowMs - since.atMs)
    const filled = Math.round((BAR * p.done) / Math.max(1, p.total))
    const bar = withBar ? `${'█'.repeat(filled)}${'░'.repeat(BAR - filled)} ` : ''
    const what = p.step === 'rebuild' ? 'rebuilding rollups ' : ''
    const rest = ms !== null && left > 0 ? `, about ${duration(ms)} left` : ''
    return `${p.key}: ${bar}${what}${p.done}/${p.total} ${p.unit}${rest}`
  }
}

/** `40 s`, `12 min` or `3 h 20 min`. */
export function duration(ms: number): string {
  const seconds = Math.round(ms / 1000)
  if (seconds < 90) return `${seconds} s`
  const minutes = Math.round(seconds / 60)
  if (minutes < 90) return `${minutes} min`
  const hours = Math.floor(minutes / 60)
  if (hours < 48) return `${hours} h ${minutes % 60} min`
  return `${Math.round(hours / 24)} days`
}

const QUIET_MS = 3_000

/** Plain lines come at most every few seconds, not with every download. */
function seldom(): (progress: Progress) => boolean {
  let toldAt = performance.now()
  return () => {
    if (performance.now() - toldAt < QUIET_MS) return false
    toldAt = performance.now()
    return true
  }
}
