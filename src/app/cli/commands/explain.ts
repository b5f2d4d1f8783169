import { ConfigError } from '../../../core/errors.ts'
import { type Explanation, explain } from '../../explanation.ts'
import { table } from '../tables.ts'
import { type CommonOptions, print, printJson, withApp } from '../with-app.ts'

/** `ripen explain`: who somebody is and why the score is what it is. */
export async function explainCommand(who: string, options: CommonOptions): Promise<void> {
  const found = await withApp({ ...options, publish: false }, ({ context }) =>
    explain(context.db, who),
  )
  if (!found) {
    throw new ConfigError(
      `${who} is nobody's e-mail address, domain or id here; ripen status says what was pulled`,
    )
  }
  if (options.json) return printJson(found)
  print(describe(found))
}

function describe(found: Explanation): string {
  const lines = [`${found.name} (${found.subject} ${found.id})`]
  if (found.subject === 'person') lines.push(`Account: ${found.account ?? 'none'}`)
  lines.push(found.subject === 'person' ? 'Is the same person:' : 'People:')
  lines.push(...found.identities.map((id) => `  ${id}`))
  for (const s of found.scores) {
    lines.push('', `Model ${s.model} v${s.version} as of ${s.asOf}: ${s.summary}`)
    const rows = s.contributions.map((c) => [
      `  ${c.points > 0 ? '+' : ''}${c.points}`.padStart(6),
      c.label,
      `${c.count}×`,
      c.since ? `since ${c.since.slice(0, 10)}` : '',
      c.last ? `last ${c.last.slice(0, 10)}` : '',
    ])
    if (rows.length > 0) lines.push(table(rows))
    lines.push(`${String(s.score).padStart(6)}  in all`)
  }
  if (found.scores.length === 0) lines.push('', 'Not scored yet: ripen score')
  return lines.join('\n')
}
