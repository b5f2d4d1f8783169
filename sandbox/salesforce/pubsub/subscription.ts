import { randomUUID } from 'node:crypto'
import { type ServerDuplexStream, status } from '@grpc/grpc-js'
import { type EventStream, readReplay, replayBytes, type StreamEvent } from './event-stream.ts'
import { refusal } from './rpc-error.ts'

/** What a subscriber asks. */
export interface FetchRequest {
  readonly topicName: string
  readonly replayPreset: 'LATEST' | 'EARLIEST' | 'CUSTOM'
  readonly replayId: Uint8Array
  readonly numRequested: number
}

/** What it is sent. */
export interface FetchResponse {
  readonly events: readonly {
    readonly event: { readonly id: string; readonly schemaId: string; readonly payload: Buffer }
    readonly replayId: Buffer
  }[]
  readonly latestReplayId: Buffer
  readonly rpcId: string
  readonly pendingNumRequested: number
}

export type FetchStream = ServerDuplexStream<FetchRequest, FetchResponse>

export interface SubscriptionOptions {
  readonly stream: EventStream
  /** Entities of a topic; throws for a topic that may not be read. */
  readonly entitiesOf: (topic: string) => ReadonlySet<string>
  readonly keepAliveMs: number
}

const MOST_REQUESTED = 100
const MOST_PER_RESPONSE = 20

/** One stream to one subscriber: sends no more events than were asked for. */
export class Subscription {
  private readonly call: FetchStream
  private readonly options: SubscriptionOptions
  private readonly rpcId = randomUUID()
  private topic: string | null = null
  private entities: ReadonlySet<string> = new Set()
  private place = 0
  private pending = 0
  private timer: NodeJS.Timeout | null = null
  private stopListening: (() => void) | null = null

  constructor(call: FetchStream, options: SubscriptionOptions) {
    this.call = call
    this.options = options
  }

  request(request: FetchRequest): void {
    try {
      if (this.topic === null) this.begin(request)
      else if (request.topicName !== '' && request.topicName !== this.topic) {
        throw refusal(
          status.INVALID_ARGUMENT,
          'subscription.fetch.topic.changed',
          'The topic of a stream cannot change.',
        )
      }
      if (request.numRequested < 1) {
        throw refusal(
          status.INVALID_ARGUMENT,
          'subscription.fetch.requested.events.invalid',
          'At least one event must be requested.',
        )
      }
      this.pending += Math.min(request.numRequested, MOST_REQUESTED)
      this.deliver()
    } catch (error) {
      this.end()
      this.call.emit('error', error)
    }
  }

  /** An empty response that tells the newest place. */
  keepAlive(): void {
    if (this.topic === null) return
    this.send([])
  }

  end(): void {
    this.stopListening?.()
    if (this.timer !== null) clearInterval(this.timer)
    this.timer = null
  }

  private begin(request: FetchRequest): void {
    const { stream, entitiesOf, keepAliveMs } = this.options
    this.entities = entitiesOf(request.topicName)
    this.place = this.startOf(request)
    this.topic = request.topicName
    this.stopListening = stream.listen(() => this.deliver())
    this.timer = setInterval(() => this.keepAlive(), keepAliveMs)
    this.timer.unref()
  }

  private startOf({ replayPreset, replayId }: FetchRequest): number {
    const { stream } = this.options
    if (replayPreset === 'EARLIEST') return stream.earliest
    if (replayPreset !== 'CUSTOM') return stream.latest
    const place = readReplay(replayId)
    if (place !== undefined && stream.knows(place)) return place
    throw refusal(
      status.INVALID_ARGUMENT,
      'subscription.fetch.replayid.validation.failed',
      'The Replay ID validation failed. Ensure that the Replay ID is valid.',
    )
  }

  private deliver(): void {
    while (this.pending > 0) {
      const events = this.options.stream.after(
        this.place,
        ({ entity }) => this.entities.has(entity),
        Math.min(this.pending, MOST_PER_RESPONSE),
      )
      if (events.length === 0) return
      this.pending -= events.length
      this.place = events.at(-1)?.replay ?? this.place
      this.send(events)
    }
  }

  private send(events: readonly StreamEvent[]): void {
    this.call.write({
      events: events.map(({ id, schemaId, payload, replay }) => ({
        event: { id, schemaId, payload },
        replayId: replayBytes(replay),
      })),
      // With events behind it that were not asked for yet, the newest place is the last one sent.
      latestReplayId: replayBytes(events.at(-1)?.replay ?? this.idlePlace()),
      rpcId: this.rpcId,
      pendingNumRequested: this.pending,
    })
  }

  private idlePlace(): number {
    const { stream } = this.options
    const waiting = stream.after(this.place, ({ entity }) => this.entities.has(entity), 1)
    return waiting.length > 0 ? this.place : stream.latest
  }
}
