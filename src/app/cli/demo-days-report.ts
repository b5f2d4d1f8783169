import type { DemoLook, Restlessness } from '../demo-days.ts'
import type { AccountStory } from '../demo-story.ts'

const BARS = ['▁', '▂', '▃', '▄', '▅', '▆', '▇', '█'] as const
const IN_A_LINE = 10
const dayOf = (instant: string): string => instant.slice(5, 10)

/** What happened to an account, a line each. */
export function describeStory({ domain, tasks, salesStatus, lines }: AccountStory): string[] {
  const many = tasks === 1 ? '1 task' : `${tasks} tasks`
  return [
    `  ${domain}: ${many}, sales status ${salesStatus}`,
    ...lines.map(({ at, text }) => `    ${dayOf(at)}  ${text}`),
  ]
}

/** How restless the scores were, and how calm the statuses. */
export function describeRestlessness(restless: Restlessness): string[] {
  const { crossings, qualifiedChanges, mostChanges, wavering } = restless
  const { domain, scores } = wavering
  const times = wavering.changes === 1 ? 'once' : `${wavering.changes} times`
  return [
    `  ${domain}: the score passed the line ${wavering.crossings} times, the status changed ${times}`,
    `    ${scores.map((score) => String(score ?? '–')).join(' ')}`,
    `  Everybody: scores passed the line ${crossings} times, ${qualifiedChanges} changes into or out of qualified;`,
    `    nobody's status changed more than ${mostChanges} times`,
  ]
}

/** Records and calls of each day. */
export function describeLooks(looks: readonly DemoLook[], again: DemoLook | null): string[] {
  const cells = looks.map(({ recordsWritten, writeCalls }) => `${recordsWritten}/${writeCalls}`)
  const width = Math.max(...cells.map((cell) => cell.length))
  const lines: string[] = []
  for (let at = 0; at < cells.length; at += IN_A_LINE) {
    const some = cells.slice(at, at + IN_A_LINE).map((cell) => cell.padStart(width))
    lines.push(`  from ${dayOf(looks[at]?.day ?? '')}  ${some.join(' ')}`)
  }
  const after = looks.slice(1).map(({ recordsWritten }) => recordsWritten)
  const reads = looks.slice(1).reduce((sum, { readCalls }) => sum + readCalls, 0)
  return [
    ...lines,
    `  after the first  ${bars(after)}  ${Math.min(...after)} to ${Math.max(...after)} records, ${Math.round(reads / after.length)} read calls a day`,
    ...(again
      ? [`  the last look again: ${again.recordsWritten} records, ${again.writeCalls} write calls`]
      : []),
  ]
}

function bars(values: readonly number[]): string {
  const most = Math.max(1, ...values)
  return values.map((n) => BARS[Math.round((n / most) * (BARS.length - 1))] ?? '').join('')
}
