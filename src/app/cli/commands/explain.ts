import { ConfigError } from '../../../core/errors.ts'
import { type Explanation, explain } from '../../explanation.ts'
import { evidenceIn, type Join } from '../../identity-evidence.ts'
import { table } from '../tables.ts'
import { type CommonOptions, print, printJson, withApp } from '../with-app.ts'

/** `ripen explain`: who somebody is and why the score is what it is. */
export async function explainCommand(who: string, options: CommonOptions): Promise<void> {
  const found = await withApp({ ...options, publish: false }, ({ context }) =>
    explain(context.db, who, evidenceIn(context)),
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
  if (found.subject === 'person') lines.push(`Account: ${describeAccount(found)}`)
  lines.push(found.subject === 'person' ? 'Is the same person:' : 'People:')
  lines.push(table(found.identities.map((id) => [`  ${id}`, describeJoins(id, found.joins)])))
  lines.push(...describeTraits(found), ...describeOutcomes(found))
  for (const s of found.scores) {
    lines.push('', `Model ${s.model} v${s.version} as of ${s.asOf}: ${s.summary}`)
    const rows = s.contributions.map((c) => [
      `${c.points > 0 ? '+' : ''}${c.points}`.padStart(6),
      c.text,
    ])
    if (rows.length > 0) lines.push(table(rows))
    lines.push(`${String(s.score).padStart(6)}  in all`)
    if (s.whatChanged !== '') lines.push(`  What changed: ${s.whatChanged}`)
    if (s.toQualify !== '') lines.push(`  To qualify: ${s.toQualify}`)
  }
  if (found.scores.length === 0) lines.push('', 'Not scored yet: ripen score')
  return lines.join('\n')
}

function describeTraits({ traits, sales }: Explanation): string[] {
  const lines: string[] = []
  if (sales) {
    const reason = sales.reason === null ? '' : ` (${sales.reason})`
    lines.push(
      `Sales: ${sales.status}${reason} since ${sales.since.slice(0, 10)}, by ${sales.source}`,
    )
  }
  const rows = traits.map(({ name, value, origin, firstAt, lastAt, endedAt }) => {
    const [first, last] = [firstAt.slice(0, 10), lastAt.slice(0, 10)]
    const until = endedAt === null ? '' : `, until ${endedAt.slice(0, 10)}`
    const days = first === last ? `on ${first}` : `${first} to ${last}`
    const told = origin === 'usage' ? days : `since ${first}${until}`
    return [`  ${name}`, value, `${origin}, ${told}`]
  })
  if (rows.length > 0) lines.push('Traits:', table(rows))
  return lines
}

function describeOutcomes({ deals, tasks, firstContacts }: Explanation): string[] {
  const lines: string[] = []
  const day = (instant: string) => instant.slice(0, 10)
  const dealRows = deals.map(({ name, state, stage, since, amount, currency, crm }) => {
    const worth = amount === null ? '' : `${amount} ${currency ?? ''}`.trim()
    return [`  ${name}`, `${state} (${stage}) since ${day(since)}`, worth, crm]
  })
  if (dealRows.length > 0) lines.push('Deals:', table(dealRows))
  const taskRows = tasks.map(({ subject, state, owner, completedAt, note, crm }) => {
    const end = completedAt === null ? state : `${state} on ${day(completedAt)}`
    return [`  ${subject}`, end, owner ?? 'nobody', note ?? crm]
  })
  if (taskRows.length > 0) lines.push('Tasks:', table(taskRows))
  for (const { kind, at, owner, qualifiedAt } of firstContacts) {
    const who = owner === null ? '' : ` by ${owner}`
    lines.push(`First contact: ${kind} at ${at}${who}, qualified at ${qualifiedAt}`)
  }
  return lines
}

const RULES = {
  override: 'identity.yaml says so for',
  crm: 'the CRM has the contact there:',
  group: 'by the analytics group',
  domain: 'by the domain of the address:',
} as const

function describeAccount({ account, accountBy }: Explanation): string {
  const by = accountBy ? ` (${RULES[accountBy.rule]} ${accountBy.value})` : ''
  return `${account ?? 'none'}${by}`
}

/** Why an id is this person: what it was seen with, where, and from when to when. */
function describeJoins(id: string, joins: readonly Join[]): string {
  const touching = joins.filter((join) => join.a === id || join.b === id)
  return touching
    .map((join) => {
      const [first, last] = [join.firstAt.slice(0, 10), join.lastAt.slice(0, 10)]
      const days = first === last ? `on ${first}` : `${first} to ${last}`
      const how = join.declared ? `${join.source} says it is` : `in ${join.source} with`
      return `${how} ${join.a === id ? join.b : join.a}, ${days}`
    })
    .join('; ')
}
