import { Listr } from 'listr2'
import type { Progress } from '../../../jobs/context.ts'
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
            told = (p) => {
              if (line.steps.includes(p.step) && due(p))
                task.output = `${p.key}: ${p.done} of ${p.total} ${p.unit}`
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
