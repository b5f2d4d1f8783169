import type { Ranked } from '../ranking.ts'

/** Lays rows out in columns; the last one is not padded. */
export function table(rows: readonly (readonly string[])[]): string {
  const widths: number[] = []
  for (const row of rows) {
    row.forEach((cell, i) => {
      widths[i] = Math.max(widths[i] ?? 0, cell.length)
    })
  }
  return rows
    .map((row) =>
      row
        .map((cell, i) => (i === row.length - 1 ? cell : cell.padEnd(widths[i] ?? 0)))
        .join('  ')
        .trimEnd(),
    )
    .join('\n')
}

/** People or accounts, each with its three strongest reasons on a line of their own. */
export function rankingTable(ranked: readonly Ranked[]): string {
  if (ranked.length === 0) return '  nobody yet'
  const rows = ranked.map((r) => [String(r.score).padStart(5), r.grade, r.usageStatus, r.name])
  const lines = table(rows).split('\n')
  return lines
    .flatMap((line, i) => {
      const reasons = (ranked[i]?.reasons ?? []).slice(0, 3)
      return reasons.length > 0 ? [line, `         ${reasons.join('; ')}`] : [line]
    })
    .join('\n')
}

/** Columns of a terminal that texts are made for. */
const WIDTH = 100

/** A text in lines that fit beside so many columns; whole on one line where nobody looks at a terminal. */
export function wrapped(text: string, beside: number): string[] {
  if (!process.stdout.isTTY) return [text]
  const most = Math.max(30, (process.stdout.columns || WIDTH) - beside)
  const lines: string[] = []
  let line = ''
  for (const word of text.split(' ')) {
    if (line !== '' && line.length + 1 + word.length > most) {
      lines.push(line)
      line = word
    } else {
      line = line === '' ? word : `${line} ${word}`
    }
  }
  return [...lines, line]
}
