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

/** People or accounts with their three strongest reasons. */
export function rankingTable(ranked: readonly Ranked[]): string {
  if (ranked.length === 0) return '  nobody yet'
  return table(
    ranked.map((r) => [
      `  ${String(r.score).padStart(3)}`,
      r.grade,
      r.usageStatus,
      r.name,
      r.reasons.slice(0, 3).join('; '),
    ]),
  )
}
