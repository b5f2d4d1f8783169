import { randomUUID } from 'node:crypto'
import type { SendOutcome } from '../../../infra/outbound/alert-channels.ts'
import { type AlertRow, readAlerts, readUnsent } from '../../../infra/postgres/alert-store.ts'
import type { App } from '../../compose.ts'
import { table } from '../tables.ts'
import { type CommonOptions, print, printJson, withApp } from '../with-app.ts'

interface AlertsOptions extends CommonOptions {
  readonly test?: boolean
}

/** `ripen alerts`: what is watched; with `--test`, whether each channel can be told. */
export async function alertsCommand(options: AlertsOptions): Promise<void> {
  await withApp({ ...options, publish: false }, async (app) => {
    if (options.test) return testChannels(app, options.json === true)
    const { db, alertChannels } = app.context
    const channels = alertChannels.map(({ name }) => name)
    const [alerts, unsent] = [await readAlerts(db), await readUnsent(db)]
    if (options.json) printJson({ channels, alerts, unsent })
    else print(describe(channels, alerts, unsent))
  })
}

const NO_CHANNEL =
  'nobody is told: set RIPEN_ALERT_SLACK_URL, RIPEN_ALERT_WEBHOOK_URL or RIPEN_ALERT_SMTP_URL'

function describe(
  channels: readonly string[],
  alerts: readonly AlertRow[],
  unsent: Awaited<ReturnType<typeof readUnsent>>,
): string {
  const rows = alerts.map(({ kind, about, isFiring, leaningSince, since, text }) => [
    stateOf(isFiring, leaningSince),
    kind,
    about,
    since ? `since ${since.toISOString()}` : '',
    text,
  ])
  return [
    channels.length > 0 ? `Told by ${channels.join(', ')}` : NO_CHANNEL,
    rows.length > 0 ? table(rows) : 'nothing was looked at yet: a worker looks every minute',
    ...unsent.map(
      ({ channel, n, error }) => `${n} messages could not be sent by ${channel}: ${error}`,
    ),
  ].join('\n')
}

function stateOf(isFiring: boolean, leaningSince: Date | null): string {
  if (isFiring) return leaningSince ? 'FIRING, ending' : 'FIRING'
  return leaningSince ? 'beginning' : 'ok'
}

async function testChannels({ context }: App, json: boolean): Promise<void> {
  const { alertChannels } = context
  if (alertChannels.length === 0) {
    process.exitCode = 2
    if (json) printJson({ channels: [] })
    else print(NO_CHANNEL)
    return
  }
  const text = 'This is a test of the alerts of Ripen; nothing is wrong.'
  const at = new Date().toISOString()
  const body = JSON.stringify({ kind: 'test', about: 'ripen', state: 'firing', text, at })
  const message = { subject: 'Ripen: test', body }
  const outcomes = await Promise.all(
    alertChannels.map(async (channel) => {
      const signal = AbortSignal.timeout(30_000)
      return {
        channel: channel.name,
        ...(await channel.send({ id: randomUUID(), ...message }, signal)),
      }
    }),
  )
  if (outcomes.some(({ kind }) => kind !== 'delivered')) process.exitCode = 1
  if (json) printJson({ channels: outcomes })
  else print(table(outcomes.map((outcome) => [outcome.channel, told(outcome)])))
}

const told = (outcome: SendOutcome): string =>
  outcome.kind === 'delivered' ? 'delivered' : `not delivered: ${outcome.reason}`
