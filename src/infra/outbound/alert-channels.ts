import { createTransport } from 'nodemailer'
import type { AlertMessage } from '../postgres/alert-store.ts'
import { sendWebhook, slackBody, type WebhookOutcome } from './webhook.ts'

/** How one try ended; reasons name no address and no content. */
export type SendOutcome = WebhookOutcome

/** Where alerts are told. */
export interface AlertChannel {
  readonly name: string
  /** Tries once. Never throws but when `signal` aborts. */
  send(message: Omit<AlertMessage, 'channel' | 'tries'>, signal: AbortSignal): Promise<SendOutcome>
}

/** From the environment; what is absent is no channel. */
export interface ChannelSettings {
  /** Of a Slack app, or of whatever takes the same. */
  readonly slackUrl?: string | undefined
  readonly webhookUrl?: string | undefined
  /** Signs what goes to `webhookUrl`. */
  readonly webhookSecret?: string | undefined
  /** `smtp://user:password@host:587`, or `smtps:` for TLS from the start. */
  readonly smtpUrl?: string | undefined
  readonly from?: string | undefined
  readonly to?: readonly string[] | undefined
}

const TIMEOUT_MS = 10_000

export function alertChannels(settings: ChannelSettings): readonly AlertChannel[] {
  const { slackUrl, webhookUrl, webhookSecret, smtpUrl, from, to } = settings
  const channels: AlertChannel[] = []
  if (slackUrl) channels.push(slackChannel(slackUrl))
  if (webhookUrl) channels.push(webhookChannel(webhookUrl, webhookSecret ?? null))
  if (smtpUrl && from && to) channels.push(mailChannel(smtpUrl, from, to))
  return channels
}

function slackChannel(url: string): AlertChannel {
  return {
    name: 'slack',
    send({ id, subject, body }, signal) {
      const text = slackBody(`${subject}\n${textOf(body)}`)
      const message = { id, url, secret: null, body: text, at: new Date(), timeoutMs: TIMEOUT_MS }
      return sendWebhook(message, signal)
    },
  }
}

function webhookChannel(url: string, secret: string | null): AlertChannel {
  return {
    name: 'webhook',
    send({ id, body }, signal) {
      return sendWebhook({ id, url, secret, body, at: new Date(), timeoutMs: TIMEOUT_MS }, signal)
    },
  }
}

/** One message of a connection of its own: alerts are seldom, and a pool would hold a process open. */
function mailChannel(url: string, from: string, to: readonly string[]): AlertChannel {
  return {
    name: 'email',
    async send({ id, subject, body }, signal) {
      signal.throwIfAborted()
      const transport = createTransport({
        url,
        connectionTimeout: TIMEOUT_MS,
        greetingTimeout: TIMEOUT_MS,
        socketTimeout: TIMEOUT_MS,
      })
      const close = () => transport.close()
      signal.addEventListener('abort', close, { once: true })
      try {
        // The same with every try: a mailbox shows what came twice once.
        const messageId = `<${id}@ripen.invalid>`
        const text = textOf(body)
        await transport.sendMail({ from, to: [...to], subject, text, messageId })
        return { kind: 'delivered' }
      } catch (error) {
        signal.throwIfAborted()
        return mailOutcome(error)
      } finally {
        signal.removeEventListener('abort', close)
        transport.close()
      }
    },
  }
}

/** What a server says for good begins with 5 (RFC 5321); a wrong password may be mended any moment. */
function mailOutcome(error: unknown): SendOutcome {
  const { code, responseCode } = (error ?? {}) as { code?: unknown; responseCode?: unknown }
  const answered = typeof responseCode === 'number' ? `answered ${responseCode}` : null
  const reason = answered ?? `no answer (${typeof code === 'string' ? code : 'unknown'})`
  const isFinal = typeof responseCode === 'number' && responseCode >= 550
  return isFinal ? { kind: 'refused', reason } : { kind: 'again', reason, retryAfterMs: null }
}

/** The words of a message; its body is JSON of ours. */
function textOf(body: string): string {
  const { text, at } = JSON.parse(body) as { text: string; at: string }
  return `${text}\n${at}`
}
