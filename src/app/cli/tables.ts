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
