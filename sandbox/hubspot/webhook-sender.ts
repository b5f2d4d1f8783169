import { createHmac } from 'node:crypto'
import { PORTAL_ID } from './hubspot-error.ts'
import type { PortalEvent } from './webhook-feed.ts'
import { API_SOURCE } from './write-plan.ts'

/** Where an app wants to hear of changes. */
export interface WebhookSettings {
  readonly targetUrl: string
  readonly clientSecret: string
  /** The address that is signed; `targetUrl` when left out. A proxy may stand between the two. */
  readonly publicUrl?: string
  /** Types such as `contact.creation`, and properties as `contact.propertyChange:jobtitle`; all when left out. */
  readonly subscriptions?: readonly string[]
  /** The name of the field that holds the type: live deliveries and the documentation differ. */
  readonly typeField?: 'subscriptionType' | 'eventType'
  /** Whose account it says it is. */
  readonly portalId?: number
  /** Sends by itself, a moment after each change. Default false: `flush` sends. */
  readonly automatic?: boolean
}

export interface FlushOptions {
  /** Seed of another order, and of batches of any size; absent: in order, a hundred a batch. */
  readonly shuffle?: number
  /** How often each event is delivered besides. Default 0. */
  readonly repeat?: number
  /** Events that are lost: tested with their place in the order. */
  readonly lose?: (index: number) => boolean
}

/** One attempt to deliver. */
export interface WebhookDelivery {
  readonly events: number
  /** 0 when nobody answered in time. */
  readonly status: number
}

interface WaitingEvent {
  readonly eventId: number
  readonly event: PortalEvent
  attempts: number
}

const MAX_BATCH = 100
const MAX_ATTEMPTS = 11
const ANSWER_WITHIN_MS = 5_000
const GATHER_MS = 50
const RETRY_MS = 1_000

/** Sends events as HubSpot does: signed, in batches, again when they are not taken. */
export class WebhookSender {
  /** What was tried so far. */
  readonly deliveries: WebhookDelivery[] = []
  private settings: WebhookSettings | null = null
  private waiting: WaitingEvent[] = []
  private timer: NodeJS.Timeout | null = null
  private count = 0
  private readonly now: () => number

  constructor(now: () => number) {
    this.now = now
  }

  /** Subscribes, or with null unsubscribes; what happened before is not told. */
  configure(settings: WebhookSettings | null): void {
    this.settings = settings
    this.waiting = []
  }

  get pending(): number {
    return this.waiting.length
  }

  add(event: PortalEvent): void {
    if (this.settings === null || !isSubscribed(this.settings, event)) return
    this.waiting.push({ eventId: 1_000 + this.count++, event, attempts: 0 })
    if (this.settings.automatic) this.sendLater(GATHER_MS)
  }

  /** Sends all that waits, once; what is not taken waits again. */
  async flush(options: FlushOptions = {}): Promise<readonly WebhookDelivery[]> {
    const { settings } = this
    const waiting = this.waiting.splice(0)
    if (settings === null) return []
    const kept = waiting.filter((_, index) => !options.lose?.(index))
    const events = Array.from({ length: 1 + (options.repeat ?? 0) }, () => kept).flat()
    const random = options.shuffle === undefined ? null : randomFrom(options.shuffle)
    const sent: WebhookDelivery[] = []
    for (const batch of batches(random ? shuffled(events, random) : events, random)) {
      const status = await this.send(settings, batch)
      sent.push({ events: batch.length, status })
      if (status >= 200 && status < 300) continue
      for (const one of new Set(batch)) {
        one.attempts++
        if (one.attempts < MAX_ATTEMPTS && !this.waiting.includes(one)) this.waiting.push(one)
      }
    }
    this.deliveries.push(...sent)
    if (settings.automatic && this.waiting.length > 0) this.sendLater(RETRY_MS)
    return sent
  }

  close(): void {
    if (this.timer) clearTimeout(this.timer)
    this.timer = null
    this.settings = null
  }

  private sendLater(ms: number): void {
    if (this.timer) return
    this.timer = setTimeout(() => {
      this.timer = null
      void this.flush()
    }, ms)
    this.timer.unref()
  }

  private async send(settings: WebhookSettings, batch: readonly WaitingEvent[]): Promise<number> {
    const { targetUrl, clientSecret, publicUrl = targetUrl } = settings
    const body = JSON.stringify(batch.map((one) => view(settings, one)))
    const timestamp = String(this.now())
    const signed = `POST${publicUrl}${body}${timestamp}`
    const signature = createHmac('sha256', clientSecret).update(signed).digest('base64')
    try {
      const response = await fetch(targetUrl, {
        method: 'POST',
        body,
        headers: {
          'content-type': 'application/json',
          'x-hubspot-request-timestamp': timestamp,
          'x-hubspot-signature-v3': signature,
          'x-hubspot-signature-version': 'v3',
        },
        signal: AbortSignal.timeout(ANSWER_WITHIN_MS),
      })
      await response.arrayBuffer()
      return response.status
    } catch {
      return 0
    }
  }
}

function view(settings: WebhookSettings, { eventId, event, attempts }: WaitingEvent) {
  return {
    eventId,
    subscriptionId: 77,
    portalId: settings.portalId ?? PORTAL_ID,
    appId: Number(API_SOURCE),
    occurredAt: event.occurredAt,
    [settings.typeField ?? 'subscriptionType']: event.type,
    attemptNumber: attempts,
    ...event.details,
  }
}

function isSubscribed({ subscriptions }: WebhookSettings, { type, details }: PortalEvent): boolean {
  if (subscriptions === undefined) return true
  return (
    subscriptions.includes(type) || subscriptions.includes(`${type}:${details['propertyName']}`)
  )
}

function batches<Item>(items: readonly Item[], random: (() => number) | null): Item[][] {
  const cut: Item[][] = []
  for (let at = 0; at < items.length; ) {
    const size = random ? 1 + Math.floor(random() * MAX_BATCH) : MAX_BATCH
    cut.push(items.slice(at, at + size))
    at += size
  }
  return cut
}

function shuffled<Item>(items: readonly Item[], random: () => number): Item[] {
  return items
    .map((item) => ({ item, place: random() }))
    .sort((a, b) => a.place - b.place)
    .map(({ item }) => item)
}

/** Numbers from 0 to 1 that one seed always gives alike. */
function randomFrom(seed: number): () => number {
  let state = (seed >>> 0) + 1
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0
    return state / 2 ** 32
  }
}
