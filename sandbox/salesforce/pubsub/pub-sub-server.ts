import { randomUUID } from 'node:crypto'
import { join } from 'node:path'
import {
  type GrpcObject,
  loadPackageDefinition,
  type Metadata,
  Server,
  ServerCredentials,
  type ServerUnaryCall,
  type ServiceClientConstructor,
  type sendUnaryData,
  status,
} from '@grpc/grpc-js'
import { loadSync } from '@grpc/proto-loader'
import type { AccessGrants } from '../oauth/access-grants.ts'
import { ORG_ID, type OrgState } from '../org-state.ts'
import type { Actor } from '../stored-row.ts'
import { ChangeEvents, type ChangeType } from './change-events.ts'
import { EventStream, type StreamEvent } from './event-stream.ts'
import { refusal } from './rpc-error.ts'
import { selfSigned } from './self-signed.ts'
import { type FetchRequest, type FetchStream, Subscription } from './subscription.ts'

export interface PubSubOptions {
  /** Objects that Change Data Capture is switched on for. */
  readonly entities?: readonly string[]
  /** Milliseconds between empty responses to a subscriber who hears nothing. Default 270,000. */
  readonly keepAliveMs?: number
  /** Speak TLS, with a certificate of its own making. Default false. */
  readonly tls?: boolean
}

const DEFAULT_ENTITIES = ['Account', 'Contact', 'Lead', 'Opportunity', 'Task'] as const
const KEEP_ALIVE_MS = 270_000
const EVERYTHING = '/data/ChangeEvents'

/** The stream of change events and the gRPC server that hands it out. */
export class PubSubServer {
  private readonly state: OrgState
  private readonly access: AccessGrants
  private readonly options: PubSubOptions
  private readonly events: ChangeEvents
  private readonly stream: EventStream
  private readonly open = new Map<Subscription, FetchStream>()
  private server: Server | null = null
  private permitted = true
  private entities: Set<string>

  constructor(state: OrgState, access: AccessGrants, options: PubSubOptions = {}) {
    this.state = state
    this.access = access
    this.options = options
    this.events = new ChangeEvents(state)
    this.stream = new EventStream(() => state.now())
    this.entities = new Set(options.entities ?? DEFAULT_ENTITIES)
    state.watch((commit) => this.stream.append(this.events.of(commit, this.entities)))
  }

  /** Starts the server on loopback; returns host and port. */
  async listen(port = 0): Promise<string> {
    const server = new Server()
    this.server = server
    server.addService(serviceDefinition(), {
      GetTopic: this.unary((request: { topicName: string }) => this.topic(request.topicName)),
      GetSchema: this.unary((request: { schemaId: string }) => this.schema(request.schemaId)),
      Subscribe: (call: FetchStream) => this.subscribe(call),
    })
    const tls = this.options.tls ? await selfSigned() : null
    const credentials =
      tls === null
        ? ServerCredentials.createInsecure()
        : ServerCredentials.createSsl(null, [
            { private_key: Buffer.from(tls.key), cert_chain: Buffer.from(tls.cert) },
          ])
    const bound = await new Promise<number>((resolve, reject) => {
      server.bindAsync(`127.0.0.1:${port}`, credentials, (error, given) =>
        error === null ? resolve(given) : reject(error),
      )
    })
    return `127.0.0.1:${bound}`
  }

  close(): void {
    for (const subscription of this.open.keys()) subscription.end()
    this.server?.forceShutdown()
    this.server = null
  }

  /** Whether the user of the API may subscribe; taking it away ends the streams that are open. */
  permit(isPermitted: boolean): void {
    this.permitted = isPermitted
    if (!isPermitted) this.endAll(notPermitted())
  }

  /** Switches Change Data Capture on for these objects alone. */
  watch(entities: readonly string[]): void {
    this.entities = new Set(entities)
  }

  /** Every stream breaks, as when the server is restarted. */
  disconnect(): void {
    this.endAll(refusal(status.UNAVAILABLE, 'service.unavailable', 'The service is restarting.'))
  }

  /** Every subscriber is sent an empty response now. */
  keepAlive(): void {
    for (const subscription of this.open.keys()) subscription.keepAlive()
  }

  /** Puts a gap event on the stream: something happened that is not told. */
  gap(entity: string, ids: readonly string[], type: ChangeType = 'GAP_UPDATE'): void {
    this.stream.append([this.events.gap(entity, ids, type, SYSTEM)])
  }

  /** Events that were put on the stream so far are gone, as after three days. */
  forget(): void {
    this.stream.forget(Number.POSITIVE_INFINITY)
  }

  /** The events that are kept, oldest first, with their payloads read. */
  log(): readonly (Omit<StreamEvent, 'payload'> & { readonly payload: unknown })[] {
    return this.stream.all().map((event) => ({
      ...event,
      payload: this.events.schema(event.schemaId)?.type.fromBuffer(event.payload),
    }))
  }

  private subscribe(call: FetchStream): void {
    const subscription = new Subscription(call, {
      stream: this.stream,
      entitiesOf: (topic) => this.entitiesOf(topic),
      keepAliveMs: this.options.keepAliveMs ?? KEEP_ALIVE_MS,
    })
    const end = (): void => {
      subscription.end()
      this.open.delete(subscription)
    }
    call.on('end', () => {
      end()
      call.end()
    })
    call.on('cancelled', end)
    call.on('error', end)
    try {
      this.letIn(call.metadata)
      this.open.set(subscription, call)
      call.on('data', (request: FetchRequest) => subscription.request(request))
    } catch (error) {
      call.emit('error', error)
    }
  }

  private topic(name: string): Record<string, unknown> {
    const entities = this.entitiesOf(name)
    const [only] = entities
    return {
      topicName: name,
      tenantGuid: ORG_ID,
      canPublish: false,
      canSubscribe: this.permitted,
      schemaId: name === EVERYTHING || only === undefined ? '' : this.events.schemaOf(only).id,
      rpcId: randomUUID(),
    }
  }

  private schema(id: string): Record<string, unknown> {
    const schema = this.events.schema(id)
    if (schema === undefined) {
      throw refusal(status.NOT_FOUND, 'schema.not.found', `There is no schema ${id}.`)
    }
    return { schemaJson: schema.json, schemaId: schema.id, rpcId: randomUUID() }
  }

  private entitiesOf(topic: string): ReadonlySet<string> {
    if (topic === EVERYTHING) return this.entities
    const name = /^\/data\/(\w+?)(__)?ChangeEvent$/.exec(topic)
    const entity = name === null ? '' : `${name[1]}${name[2] === undefined ? '' : '__c'}`
    if (this.state.hasObject(entity)) {
      const { definition } = this.state.table(entity)
      return new Set(this.entities.has(definition.name) ? [definition.name] : [])
    }
    throw refusal(
      status.NOT_FOUND,
      'topic.not.found',
      `Topic not found or insufficient permission to view Topic: ${topic}.`,
    )
  }

  private letIn(metadata: Metadata): void {
    const read = (name: string) => String(metadata.get(name)[0] ?? '')
    const isWhole = read('accesstoken') !== '' && read('instanceurl') !== ''
    const isHere = read('tenantid').slice(0, 15) === ORG_ID.slice(0, 15)
    if (!isWhole || !isHere) {
      throw refusal(
        status.UNAUTHENTICATED,
        'service.auth.headers.invalid',
        'The authentication headers are invalid.',
      )
    }
    if (this.access.grantOf(read('accesstoken')) === undefined) {
      throw refusal(
        status.UNAUTHENTICATED,
        'service.auth.error',
        'Authentication exception occurred. Ensure that the access token is valid.',
      )
    }
    if (!this.permitted) throw notPermitted()
  }

  private unary<Request, Answer>(
    handle: (request: Request) => Answer,
  ): (call: ServerUnaryCall<Request, Answer>, callback: sendUnaryData<Answer>) => void {
    return (call, callback) => {
      try {
        this.letIn(call.metadata)
        callback(null, handle(call.request))
      } catch (error) {
        callback(error as Error)
      }
    }
  }

  private endAll(error: Error): void {
    for (const [subscription, call] of [...this.open]) {
      subscription.end()
      call.emit('error', error)
    }
  }
}

const SYSTEM: Actor = { userId: '', channel: 'ui', client: null, apiVersion: '67.0' }

function notPermitted(): Error {
  return refusal(
    status.PERMISSION_DENIED,
    'subscription.permission.denied',
    'The user has no permission to subscribe to this topic.',
  )
}

function serviceDefinition(): ServiceClientConstructor['service'] {
  const definition = loadSync(join(import.meta.dirname, 'pub-sub-api.proto'), {
    enums: String,
    longs: Number,
    defaults: true,
  })
  const { eventbus } = loadPackageDefinition(definition) as GrpcObject
  const { v1 } = eventbus as GrpcObject
  const { PubSub } = v1 as { PubSub: ServiceClientConstructor }
  return PubSub.service
}
