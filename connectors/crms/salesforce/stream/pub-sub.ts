import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import {
  Client,
  type ClientDuplexStream,
  credentials,
  Metadata,
  type MethodDefinition,
  type ServiceDefinition,
} from '@grpc/grpc-js'
import { loadSync } from '@grpc/proto-loader'
import type { StreamAddress } from './stream-address.ts'

/** Who asks, in every call. */
export interface Caller {
  readonly token: string
  /** Address of the org. */
  readonly instanceUrl: string
  /** 18 characters. */
  readonly orgId: string
}

export interface FetchRequest {
  readonly topicName: string
  readonly numRequested: number
  readonly replayPreset?: 'LATEST' | 'CUSTOM'
  readonly replayId?: Uint8Array
}

export interface ConsumerEvent {
  readonly event: { readonly schemaId: string; readonly payload: Buffer } | null
  readonly replayId: Buffer
}

export interface FetchResponse {
  readonly events: readonly ConsumerEvent[]
  readonly latestReplayId: Buffer
}

export type FetchCall = ClientDuplexStream<FetchRequest, FetchResponse>

export interface PubSub {
  /** Whether somebody may subscribe to a topic. */
  canSubscribe(topicName: string, caller: Caller, signal: AbortSignal): Promise<boolean>
  /** A schema as JSON. */
  schema(schemaId: string, caller: Caller, signal: AbortSignal): Promise<string>
  subscribe(caller: Caller): FetchCall
  close(): void
}

/** A hundred events of a megabyte each fit, whatever Salesforce makes of its bounds. */
const MAX_MESSAGE_BYTES = 128 * 1024 * 1024

/**
 * A line to the Pub/Sub API. The messages are those of the public description that the package of Salesforce's own
 * client brings; the client itself is not used (decision 38).
 */
export function openPubSub({ host, port, tls }: StreamAddress, timeoutMs: number): PubSub {
  const channel = tls ? credentials.createSsl() : credentials.createInsecure()
  const client = new Client(`${host}:${port}`, channel, {
    'grpc.max_receive_message_length': MAX_MESSAGE_BYTES,
  })
  const service = readService()
  const ask = <Answer>(name: string, request: object, caller: Caller, signal: AbortSignal) =>
    new Promise<Answer>((resolve, reject) => {
      const { path, requestSerialize, responseDeserialize } = methodOf(service, name)
      const call = client.makeUnaryRequest(
        path,
        requestSerialize,
        responseDeserialize,
        request,
        metadataOf(caller),
        { deadline: Date.now() + timeoutMs },
        (error, answer) => {
          signal.removeEventListener('abort', cancel)
          if (error) reject(error)
          else resolve(answer as Answer)
        },
      )
      const cancel = () => call.cancel()
      if (signal.aborted) cancel()
      signal.addEventListener('abort', cancel, { once: true })
    })
  return {
    async canSubscribe(topicName, caller, signal) {
      const info = await ask<{ canSubscribe: boolean }>('GetTopic', { topicName }, caller, signal)
      return info.canSubscribe
    },
    async schema(schemaId, caller, signal) {
      const info = await ask<{ schemaJson: string }>('GetSchema', { schemaId }, caller, signal)
      return info.schemaJson
    },
    subscribe(caller) {
      const { path, requestSerialize, responseDeserialize } = methodOf(service, 'Subscribe')
      const metadata = metadataOf(caller)
      const serialize = requestSerialize as (request: FetchRequest) => Buffer
      const deserialize = responseDeserialize as (bytes: Buffer) => FetchResponse
      return client.makeBidiStreamRequest(path, serialize, deserialize, metadata)
    },
    close: () => client.close(),
  }
}

function metadataOf({ token, instanceUrl, orgId }: Caller): Metadata {
  const metadata = new Metadata()
  metadata.set('accesstoken', token)
  metadata.set('instanceurl', instanceUrl)
  metadata.set('tenantid', orgId)
  return metadata
}

let known: ServiceDefinition | null = null

function readService(): ServiceDefinition {
  const require = createRequire(import.meta.url)
  const root = dirname(dirname(require.resolve('salesforce-pubsub-api-client')))
  known ??= loadSync(join(root, 'pubsub_api.proto'), {
    enums: String,
    longs: String,
    defaults: true,
  })['eventbus.v1.PubSub'] as ServiceDefinition
  return known
}

function methodOf(service: ServiceDefinition, name: string): MethodDefinition<object, object> {
  const method = service[name]
  if (!method) throw new Error(`the Pub/Sub API has no ${name}`)
  return method
}
