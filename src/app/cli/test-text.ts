import type { RecordPreview } from '../../../jobs/steps/preview-records.ts'
import type { Explanation } from '../explanation.ts'
import type { CrmTest, TestResult } from './commands/test.ts'
import { paint } from './paint.ts'
import { describeRecord, shown } from './preview-text.ts'
import { table } from './tables.ts'

/** The whole path of one person, step by step. */
export function describeTest({ person, account, mapping, crms }: TestResult): string {
  const both = account === null ? [person] : [person, account]
  return [
    head('1. Who it is'),
    `  ${person.name} (${person.id}): ${person.identities.join(', ')}`,
    `  account: ${person.account ?? 'none'}${describeRule(person)}`,
    head('2. What was done'),
    ...both.flatMap(describeFacts),
    head(`3. What it comes to, by version ${mapping.version} of ${mapping.folder}`),
    ...both.flatMap(describeScores),
    ...crms.flatMap(describeCrm),
    '',
    'Nothing was written.',
  ].join('\n')
}

const head = (text: string): string => `\n${paint('bold', text)}`

function describeRule({ accountBy }: Explanation): string {
  return accountBy === null ? '' : ` (by ${accountBy.rule}: ${accountBy.value})`
}

function describeFacts({ name, scores, traits }: Explanation): string[] {
  const did = new Map(
    scores.flatMap(({ contributions }) =>
      contributions
        .filter(({ last }) => last !== null)
        .map((c) => [c.id, [`    ${c.id}`, String(c.amount), `${day(c.since)} to ${day(c.last)}`]]),
    ),
  )
  const told = traits.map((t) => [`    ${t.name}`, t.value, t.origin])
  return [
    `  ${name}`,
    ...(did.size > 0 ? [table([...did.values()])] : ['    nothing that a model looks at']),
    ...(told.length > 0 ? ['  said of it', table(told)] : []),
  ]
}

const day = (instant: string | null): string => instant?.slice(0, 10) ?? ''

function describeScores({ name, scores }: Explanation): string[] {
  if (scores.length === 0) return [`  ${name}: not scored yet: ripen score`]
  return scores.flatMap((s) => [
    `  ${name}: model ${s.model} v${s.version} as of ${s.asOf}`,
    table(
      [
        ...s.contributions.map((c) => [`${c.points > 0 ? '+' : ''}${c.points}`, c.text]),
        [String(s.score), `in all: ${s.grade}, ${s.usageStatus}, sales ${s.salesStatus}`],
      ].map(([points = '', text = '']) => [points.padStart(8), text]),
    ),
  ])
}

function describeCrm({ crm, problem, records, calls }: CrmTest): string[] {
  if (problem !== null) return [head(`4. ${crm}`), `  ${problem}`]
  return [
    head(`4. What ${crm} should say, and what it says now`),
    ...(records.length > 0
      ? records.flatMap(describeBoth)
      : ['  no model of it scores anybody here']),
    head('5. What is decided'),
    ...records.flatMap(describeRecord).map((line) => `  ${line}`),
    head('6. Calls that would be made'),
    calls.length > 0
      ? table(calls.map((c) => [`  ${c.call}`, c.about, c.values > 0 ? `${c.values} values` : '']))
      : '  none',
  ]
}

function describeBoth({ object, name, crmId, desired, now }: RecordPreview): string[] {
  const where = crmId === null ? 'not there' : `record ${crmId}`
  const rows = Object.entries(desired).map(([property, value]) => [
    `    ${property}`,
    shown(value),
    now === null ? '' : shown(now[property] ?? null),
  ])
  return [
    `  ${object} ${name}: ${where}`,
    table([['    PROPERTY', 'SHOULD SAY', now ? 'SAYS' : ''], ...rows]),
  ]
}
