import { type RefusedJoins, readRefusedJoins } from '../../refused-joins.ts'
import { table } from '../tables.ts'
import { type CommonOptions, print, printJson, withApp } from '../with-app.ts'

/** `ripen identity`: which ids join nobody, and who is kept apart. */
export async function identityCommand(options: CommonOptions): Promise<void> {
  const refused = await withApp({ ...options, publish: false }, ({ context }) =>
    readRefusedJoins(context.db),
  )
  if (options.json) return printJson(refused)
  print(describe(refused))
}

const WHY: Readonly<Record<string, string>> = {
  users: 'too many users',
  links: 'too many ids',
  declared: 'identity.yaml says so',
}

function describe({ shared, splits, notTheSame }: RefusedJoins): string {
  const since = (at: string) => `since ${at.slice(0, 10)}`
  const sharedRows = shared.map((s) => [
    `  ${s.id}`,
    `seen with ${s.identities}`,
    WHY[s.why] ?? s.why,
    since(s.since),
  ])
  const splitRows = splits.map((s) => [`  ${s.a}`, s.b, `over ${s.over}`, since(s.since)])
  const pairRows = notTheSame.map(([a, b]) => [`  ${a}`, b])
  return [
    'Ids that join nobody',
    sharedRows.length > 0 ? table(sharedRows) : '  none',
    'Joins left out, to keep people apart',
    splitRows.length > 0 ? table(splitRows) : '  none',
    'Kept apart by identity.yaml',
    pairRows.length > 0 ? table(pairRows) : '  none',
  ].join('\n')
}
