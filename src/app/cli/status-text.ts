import { shortTime } from '../../core/freshness/objective.ts'
import type { Gap } from '../../core/usage/ledger.ts'
import type { FullStatus } from './commands/status.ts'
import { duration } from './progress.ts'
import { describeChange } from './schema-text.ts'
import { table } from './tables.ts'

type Source = FullStatus['sources'][string]

/** The status in words. */
export function describeStatus(status: FullStatus, now: Date): string {
  const crms = Object.entries(status.crms).map(([name, c]) => [
    `  ${name}`,
    `records: ${counts(c.records)}${c.several > 0 ? `, ${c.several} of them could be several` : ''}`,
    ...(c.parkedProperties > 0 ? [`properties parked: ${c.parkedProperties} (ripen parked)`] : []),
    `tasks: ${counts(c.tasks)}`,
    ...(Object.keys(c.deals).length > 0 ? [`deals: ${counts(c.deals)}`] : []),
    ...(c.firstContacts > 0 ? [`first contacts: ${c.firstContacts}`] : []),
  ])
  const open = status.open.map((w) => [`  ${w.step} ${w.key}`, w.error ?? 'waits for a worker'])
  return [
    'Sources',
    ...describeSources(status, now),
    ...describeRebuild(status),
    'People and accounts',
    `  ${status.people} people (${status.peopleInSeveralSources} in several sources), ${status.accounts} accounts`,
    `  ${status.qualifiedPeople} people and ${status.qualifiedAccounts} accounts qualified`,
    'CRM',
    crms.length ? table(crms) : '  nothing desired yet: ripen score',
    ...describeStreams(status, now),
    ...describeFreshness(status, now),
    ...describePace(status),
    ...describeMessages(status),
    'Open',
    open.length ? table(open) : '  nothing',
    ...describeAlerts(status),
    ...describeNotices(status, now),
    ...describeSchema(status),
    `Mapping: ${status.mapping ? `version ${status.mapping.version} of ${status.mapping.folder}` : 'none published'}`,
  ].join('\n')
}

function describeSources({ sources }: FullStatus, now: Date): string[] {
  const named = Object.entries(sources)
  if (named.length === 0) return ['  nothing pulled yet: ripen pull']
  const heads = named.map(([name, s]) => [
    `  ${name}`,
    `${s.events ?? 0} events`,
    `${s.windows ?? 0} windows`,
    s.firstDay ? `${s.firstDay} to ${s.lastDay}` : '',
    s.lagSeconds === null ? '' : `${duration(s.lagSeconds * 1000)} behind`,
    s.pulledAt ? `pulled ${s.pulledAt}` : '',
  ])
  const lines = table(heads).split('\n')
  return named.flatMap(([, source], i) => [lines[i] ?? '', ...describeLedger(source, now)])
}

const MOST_GAPS = 5

function describeLedger({ gaps, backfill, failures }: Source, now: Date): string[] {
  const lines: string[] = []
  if (backfill && backfill.done < backfill.total) {
    const { done, total, secondsLeft } = backfill
    const rest = secondsLeft === null ? '' : `, about ${duration(secondsLeft * 1000)} left`
    lines.push(`backfill ${done}/${total} windows${rest}`)
  }
  if (gaps.length > 0) {
    const some = gaps.slice(-MOST_GAPS).map(describeGap).join(', ')
    const more = gaps.length > MOST_GAPS ? `, and ${gaps.length - MOST_GAPS} earlier ones` : ''
    lines.push(`gaps: ${some}${more}`)
  }
  if (failures) {
    const ago = duration(now.getTime() - Date.parse(failures.lastAt))
    const row = failures.inARow > 0 ? `${failures.inARow} in a row` : 'a pull succeeded since'
    lines.push(
      `${failures.count} failed pulls in 7 days, ${row}; last ${ago} ago (${failures.kind}): ${failures.error}`,
    )
  }
  return lines.map((line) => `    ${line}`)
}

const describeGap = ({ from, to, windows }: Gap): string =>
  windows === 1 ? from : `${from} to ${to} (${windows})`

function describeRebuild({ rebuild }: FullStatus): string[] {
  return Object.entries(rebuild).map(
    ([name, { done, total }]) =>
      `  ${name}: rebuilding rollups ${done}/${total} days; scores go by the old ones until all are done`,
  )
}

/** Salesforce says something every five minutes at least: whoever hears nothing for longer does not listen. */
const SILENT_MS = 10 * 60_000

function describeStreams({ crms }: FullStatus, now: Date): string[] {
  return Object.entries(crms).flatMap(([name, { stream }]) => {
    if (!stream) return []
    const { state, why, since, heardAt } = stream
    const instead = 'what changed is asked for instead'
    if (state !== 'live') {
      return [`  ${name} stream: ${state} since ${since.toISOString()}, ${instead}: ${why ?? ''}`]
    }
    const last = heardAt ?? since
    const heard = heardAt ? `heard ${heardAt.toISOString()}` : 'nothing heard yet'
    if (now.getTime() - last.getTime() <= SILENT_MS) return [`  ${name} stream: live, ${heard}`]
    return [`  ${name} stream: no worker follows it, ${heard}; ${instead}`]
  })
}

function describeFreshness({ freshness }: FullStatus, now: Date): string[] {
  const lines = Object.entries(freshness).flatMap(([crm, { standing, taken, open }]) => {
    const { objective, total, share, isKept } = standing
    const wanted = `${percent(objective.share)} in ${shortTime(objective.withinSeconds)}`
    const kept =
      share === null
        ? 'nothing qualified was due'
        : `${percent(share)} of ${total} that are qualified, ${isKept ? 'kept' : 'NOT KEPT'}`
    const over = `over ${objective.overHours} h: ${kept}`
    const rows = taken
      .filter(({ since }) => since === 'arrival')
      .map(({ object, qualified, n, medianSeconds, p95Seconds }) => [
        `    ${object}${qualified ? ', qualified' : ''}`,
        `${n}, half in ${atMost(medianSeconds)}, 95 % in ${atMost(p95Seconds)}`,
      ])
    const waits = open.map(({ object, qualified, open: n, oldestSince, oldest }) => [
      `    ${object}${qualified ? ', qualified' : ''}`,
      `${n} on the way, the oldest for ${duration(now.getTime() - oldestSince.getTime())} (${oldest})`,
    ])
    const details = [...rows, ...waits]
    return [`  ${crm}: ${wanted} ${over}`, ...(details.length > 0 ? [table(details)] : [])]
  })
  return lines.length > 0 ? ['Freshness, from the arrival of an event', ...lines] : []
}

const percent = (share: number): string => `${Math.floor(share * 1000) / 10} %`
const atMost = (seconds: number | null): string =>
  seconds === null ? 'more than a day' : shortTime(seconds)

function describePace({ pace }: FullStatus): string[] {
  const quotas = pace.quotas.map(({ account, calls, left, seenAt }) => [
    `  ${account}`,
    `${left} of ${calls} calls of the day left, told ${seenAt.toISOString()}`,
  ])
  const pauses = pace.pauses.map(({ name, until, why }) => [
    `  ${name}`,
    `paused until ${until.toISOString()}: ${why}`,
  ])
  const rows = [...quotas, ...pauses]
  return rows.length > 0 ? ['Allowances', table(rows)] : []
}

function describeAlerts({ alerts }: FullStatus): string[] {
  if (alerts.length === 0) return []
  const rows = alerts.map(({ kind, about, since, text }) => [
    `  ${kind} ${about}`,
    `since ${since?.toISOString() ?? ''}`,
    text,
  ])
  return ['Alerts', table(rows)]
}

function describeMessages({ messages }: FullStatus): string[] {
  const rows = messages.map(({ state, reason, n }) => [`  ${state}`, `${n}`, reason ?? ''])
  return rows.length > 0 ? ['Messages of playbooks', table(rows)] : []
}

function describeNotices({ notices }: FullStatus, now: Date): string[] {
  if (notices.length === 0) return []
  const rows = notices.map(({ kind, source, at, endedAt }) => [
    `  ${kind} ${source}`,
    `since ${at.toISOString()}`,
    endedAt ? `over ${duration(now.getTime() - endedAt.getTime())} ago` : 'lasts',
  ])
  return ['Notices', table(rows)]
}

function describeSchema({ schemaChanges }: FullStatus): string[] {
  if (schemaChanges.length === 0) return []
  return [
    'What vendors changed',
    table(schemaChanges.map((change) => ['', ...describeChange(change)])),
  ]
}

function counts(by: Readonly<Record<string, number>>): string {
  const parts = Object.entries(by).map(([state, n]) => `${n} ${state}`)
  return parts.join(', ') || 'none'
}
