import { ConfigError } from '../../src/core/errors.ts'
import { waitAfter } from '../../src/core/playbook/retry.ts'
import { sendWebhook, type WebhookOutcome } from '../../src/infra/outbound/webhook.ts'
import {
  type DueMessage,
  dueMessages,
  noteTry,
  type TriedMessage,
} from '../../src/infra/postgres/message-store.ts'
import type { JobContext, StepHandler } from '../context.ts'

/** Messages of one look. */
const MOST = 200
const LEAST_SECRET = 16

/**
 * Sends what playbooks tell others. A message arrives at least once: whoever dies between the call and the
 * note sends it again, by the same id.
 */
export const outbound: StepHandler = async (context, _key, _params, signal, run) => {
  /** What is wrong, by the variable. */
  const problems = new Map<string, string>()
  for (;;) {
    const due = await dueMessages(context.db, context.clock(), MOST, [...problems.keys()])
    if (due.length === 0) break
    for (const message of due) {
      const address = addressOf(context, message)
      if ('problem' in address) {
        problems.set(address.variable, address.problem)
        continue
      }
      const at = context.clock()
      const outcome = await sendWebhook(
        {
          ...{ id: message.key, body: message.body, at, timeoutMs: context.outboundTimeoutMs },
          ...address,
        },
        signal,
      )
      const tried = triedOf(message, outcome, at)
      await noteTry(context.db, message.key, tried)
      run.count(tried.state === 'planned' ? 'again' : tried.state)
    }
  }
  // Last: what nobody has configured keeps nothing else from being sent.
  if (problems.size > 0) throw new ConfigError([...problems.values()].join('\n'))
  return {}
}

type Address = { readonly url: string; readonly secret: string | null }

/** Addresses and secrets come from the environment alone; neither is ever told. */
function addressOf(
  { variable }: Pick<JobContext, 'variable'>,
  { addressVariable, secretVariable }: DueMessage,
): Address | { readonly variable: string; readonly problem: string } {
  const url = variable(addressVariable)
  if (url === null) {
    const problem = `${addressVariable} is not set; a playbook sends to the address in it`
    return { variable: addressVariable, problem }
  }
  if (!URL.canParse(url) || !/^https?:$/.test(new URL(url).protocol)) {
    return { variable: addressVariable, problem: `${addressVariable} must be an http(s) URL` }
  }
  if (secretVariable === null) return { url, secret: null }
  const secret = variable(secretVariable)
  if (secret === null || secret.length < LEAST_SECRET) {
    const why = `must be set and have ${LEAST_SECRET} characters at least; messages are signed with it`
    return { variable: secretVariable, problem: `${secretVariable} ${why}` }
  }
  return { url, secret }
}

function triedOf({ tries: before }: DueMessage, outcome: WebhookOutcome, now: Date): TriedMessage {
  const tries = before + 1
  if (outcome.kind === 'delivered') return { state: 'delivered', reason: null, nextAt: now, tries }
  const { reason } = outcome
  const waitMs = outcome.kind === 'again' ? waitAfter(tries, outcome.retryAfterMs) : null
  if (waitMs === null) return { state: 'dead', reason, nextAt: now, tries }
  return { state: 'planned', reason, nextAt: new Date(now.getTime() + waitMs), tries }
}
