import { readStatus, type Status } from '../../status.ts'
import { table } from '../tables.ts'
import { type CommonOptions, print, printJson, withApp } from '../with-app.ts'

/** `ripen status`: what is there, and what waits for a person. */
export async function statusCommand(options: CommonOptions): Promise<void> {
  const status = await withApp({ ...options, publish: false }, ({ context }) =>
    readStatus(context.db),
  )
  if (options.json) return printJson(status)
  print(describeStatus(status))
}

function describeStatus(status: Status): string {
  const sources = Object.entries(status.sources).map(([name, s]) => [
    `  ${name}`,
    `${s.events} events`,
    `${s.windows} windows`,
    s.firstDay ? `${s.firstDay} to ${s.lastDay}` : '',
    s.pulledAt ? `pulled ${s.pulledAt}` : '',
  ])
  const crms = Object.entries(status.crms).map(([name, c]) => [
    `  ${name}`,
    `records: ${counts(c.records)}`,
    `tasks: ${counts(c.tasks)}`,
  ])
  const open = status.open.map((w) => [`  ${w.step} ${w.key}`, w.error ?? 'waits for a worker'])
  return [
    'Sources',
    sources.length ? table(sources) : '  nothing pulled yet: ripen pull',
    'People and accounts',
    `  ${status.people} people (${status.peopleInSeveralSources} in several sources), ${status.accounts} accounts`,
    `  ${status.qualifiedPeople} people and ${status.qualifiedAccounts} accounts qualified`,
    'CRM',
    crms.length ? table(crms) : '  nothing desired yet: ripen score',
    'Open',
    open.length ? table(open) : '  nothing',
    `Mapping: ${status.mapping ? `version ${status.mapping.version} of ${status.mapping.folder}` : 'none published'}`,
  ].join('\n')
}

function counts(by: Readonly<Record<string, number>>): string {
  const parts = Object.entries(by).map(([state, n]) => `${n} ${state}`)
  return parts.join(', ') || 'none'
}
