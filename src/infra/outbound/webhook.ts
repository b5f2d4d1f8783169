import { Webhook } from 'standardwebhooks'

/** A message to an address of the customer's own choice. */
export interface WebhookMessage {
  /** Names the message: the same with every try, so that the receiver can drop what it has seen. */
  readonly id: string
  /** Never told in an outcome, an error or a log: whoever knows it may post to it. */
  readonly url: string
  /** Signs the message; null sends it unsigned, for receivers whose address is the secret (Slack). */
  readonly secret: string | null
  /** JSON; signed byte for byte as it is sent. */
  readonly body: string
  /** When it is sent: part of what is signed, so that an old message cannot be played again. */
  readonly at: Date
  /** Deadline of the call, in milliseconds. */
  readonly timeoutMs: number
}

/** How one try ended. Reasons name no address and no content. */
export type WebhookOutcome =
  | { readonly kind: 'delivered' }
  /** It may have arrived, or will with another try; the receiver may ask for a pause. */
  | { readonly kind: 'again'; readonly reason: string; readonly retryAfterMs: number | null }
  /** Another try would end alike. */
  | { readonly kind: 'refused'; readonly reason: string }

/** What a receiver says of the message itself, or of its address for good. */
const FINAL: ReadonlySet<number> = new Set([400, 405, 410, 413, 415, 422])
/** No receiver is waited for longer. */
const MOST_PAUSE_MS = 24 * 3_600_000

/**
 * Posts a message once, and says how it ended; it never throws but when `signal` aborts. Redirects are not followed: what
 * is signed for one address is not carried to another. Signatures are those of the Standard Webhooks.
 */
export async function sendWebhook(
  message: WebhookMessage,
  signal: AbortSignal,
): Promise<WebhookOutcome> {
  const late = AbortSignal.timeout(message.timeoutMs)
  let response: Response
  try {
    response = await fetch(message.url, {
      method: 'POST',
      redirect: 'manual',
      headers: { 'content-type': 'application/json', ...signedHeaders(message) },
      body: message.body,
      signal: AbortSignal.any([signal, late]),
    })
  } catch (error) {
    signal.throwIfAborted()
    const why = late.aborted ? 'too late' : codeOf(error)
    return { kind: 'again', reason: `no answer (${why})`, retryAfterMs: null }
  }
  await response.body?.cancel().catch(() => undefined)
  return outcomeOf(response, message.at)
}

/**
 * The headers that say which message it is, and prove who sent it.
 * @param message whose `secret` is text, or base64 with `whsec_` before it.
 */
export function signedHeaders({
  id,
  secret,
  body,
  at,
}: Pick<WebhookMessage, 'id' | 'secret' | 'body' | 'at'>): Record<string, string> {
  const named = { 'webhook-id': id, 'webhook-timestamp': String(Math.floor(at.getTime() / 1000)) }
  if (secret === null) return named
  const key = secret.startsWith('whsec_')
    ? new Webhook(secret)
    : new Webhook(Buffer.from(secret, 'utf8'), { format: 'raw' })
  return { ...named, 'webhook-signature': key.sign(id, at, body) }
}

/** The body of a message for Slack, and for whoever takes the same. */
export const slackBody = (text: string): string => JSON.stringify({ text })

function outcomeOf(response: Response, now: Date): WebhookOutcome {
  const { status } = response
  if (status >= 200 && status < 300) return { kind: 'delivered' }
  const reason = `answered ${status}`
  if (status >= 300 && status < 400) {
    return { kind: 'refused', reason: `${reason}, a redirect; give the address where it leads` }
  }
  if (FINAL.has(status)) return { kind: 'refused', reason }
  return { kind: 'again', reason, retryAfterMs: pauseMs(response.headers.get('retry-after'), now) }
}

/** Seconds or a date (RFC 9110, "Retry-After"); null where nothing is asked for. */
function pauseMs(retryAfter: string | null, now: Date): number | null {
  if (retryAfter === null) return null
  const seconds = Number(retryAfter)
  const ms = Number.isFinite(seconds) ? seconds * 1000 : Date.parse(retryAfter) - now.getTime()
  return ms > 0 ? Math.min(ms, MOST_PAUSE_MS) : null
}

function codeOf(error: unknown): string {
  const cause = error instanceof Error ? error.cause : null
  const code = typeof cause === 'object' && cause !== null && 'code' in cause ? cause.code : null
  return typeof code === 'string' ? code : 'the connection broke'
}
