import type { AlertKind, Finding } from '../../src/core/alerts/alert.ts'
import {
  type AlertMessage,
  dueMessages,
  noteTry,
  storeFindings,
} from '../../src/infra/postgres/alert-store.ts'
import { withLock } from '../../src/infra/postgres/lock.ts'
import type { JobContext } from '../context.ts'
import { kindOf } from '../failure-policy.ts'
import { canaryFindings } from './canary-findings.ts'
import { freshnessFindings, parkedFindings, quotaFindings, tokenFindings } from './crm-findings.ts'
import { driftFindings, gapFindings, missedFindings } from './source-findings.ts'

/** A look at everything of one kind. */
type Look = (context: JobContext) => Promise<readonly Finding[]>

const LOOKS: Readonly<Record<AlertKind, Look>> = {
  'missed-run': missedFindings,
  gap: gapFindings,
  'parked-share': parkedFindings,
  freshness: freshnessFindings,
  'token-expiry': tokenFindings,
  quota: quotaFindings,
  'schema-drift': driftFindings,
  canary: canaryFindings,
}

/**
 * Looks at everything that is watched and tells what has changed; one process of all that run does. A kind that cannot be
 * looked at keeps its states, and no other one waits for it.
 */
export async function watchAlerts(context: JobContext, signal: AbortSignal): Promise<void> {
  await withLock(context.pool, 'alerts', async (lost) => {
    const looked = new Set<AlertKind>()
    const findings: Finding[] = []
    for (const [kind, look] of Object.entries(LOOKS) as [AlertKind, Look][]) {
      try {
        findings.push(...(await look(context)))
        looked.add(kind)
      } catch (error) {
        context.logger.warn({ alert: kind, kind: kindOf(error) }, 'what is watched cannot be seen')
      }
    }
    const names = context.alertChannels.map(({ name }) => name)
    await storeFindings(context.db, looked, findings, names, new Date())
    await sendDue(context, AbortSignal.any([signal, lost]))
  })
}

/** A message is tried so often, half an hour apart in the end: a day in all. */
const MOST_TRIES = 50
const AGAIN_MS = 15_000
const LONGEST_MS = 30 * 60_000

async function sendDue(context: JobContext, signal: AbortSignal): Promise<void> {
  for (const message of await dueMessages(context.db)) await sendOne(context, message, signal)
}

async function sendOne(
  { db, logger, alertChannels }: JobContext,
  message: AlertMessage,
  signal: AbortSignal,
): Promise<void> {
  const { id, channel: name, tries } = message
  const channel = alertChannels.find((one) => one.name === name)
  if (!channel) {
    return noteTry(db, id, { outcome: 'refused', error: 'the channel is not configured any more' })
  }
  const outcome = await channel.send(message, signal)
  if (outcome.kind === 'delivered') return noteTry(db, id, { outcome: 'sent', error: null })
  const { reason } = outcome
  logger.warn({ channel: name, reason, tries: tries + 1 }, 'an alert could not be told')
  if (outcome.kind === 'refused' || tries + 1 >= MOST_TRIES) {
    return noteTry(db, id, { outcome: 'refused', error: reason })
  }
  const backoffMs = Math.min(LONGEST_MS, AGAIN_MS * 2 ** Math.min(tries, 20))
  return noteTry(db, id, { againMs: outcome.retryAfterMs ?? backoffMs, error: reason })
}
