import { isSyncFailure, RetryableError } from '../../../../src/core/errors.ts'
import type { StreamFollower } from '../../../../src/core/ports/crm-stream.ts'
import { type ChangeEvent, type EventSchema, eventSchema } from './event-schema.ts'
import type { Caller, ConsumerEvent, FetchCall, FetchRequest, PubSub } from './pub-sub.ts'
import {
  isServiceError,
  notPermitted,
  type StreamFailure,
  streamFailure,
} from './stream-failure.ts'
import { toldBody } from './told-changes.ts'

/** One line with everything that Change Data Capture is on for. */
const TOPIC = '/data/ChangeEvents'
/** As many as Salesforce sends before it is asked again. */
const AT_ONCE = 100

/** Who listens, and how far it got. */
export interface Listener {
  readonly pubSub: PubSub
  readonly follower: StreamFollower
  /** By id. */
  readonly schemas: Map<string, EventSchema>
  readonly silenceMs: number
  caller(): Caller
  /** Behind what to go on; null begins now. */
  place: Uint8Array | null
  /** Whether Salesforce has said something since this was set to false. */
  hasHeard: boolean
}

/** Listens on one line until it breaks. @returns why, or null when it was told to stop. */
export async function hear(listener: Listener, signal: AbortSignal): Promise<StreamFailure | null> {
  const { pubSub, follower } = listener
  const caller = listener.caller()
  let call: FetchCall | null = null
  const cancel = () => call?.cancel()
  signal.addEventListener('abort', cancel, { once: true })
  const watch = watchSilence(listener.silenceMs, cancel)
  try {
    await mayListen(pubSub, caller, signal)
    call = pubSub.subscribe(caller)
    // Also for what happens after nobody reads any more: an error without a listener ends the process.
    call.on('error', () => {})
    if (signal.aborted) return null
    call.write(firstRequest(listener.place))
    watch.heard()
    await follower.opened()
    if (listener.place === null) await takeMissed(follower)
    for await (const response of call) {
      watch.heard()
      listener.hasHeard = true
      await take(listener, caller, response, signal)
      const { length } = response.events
      if (length > 0) call.write({ topicName: TOPIC, numRequested: length })
    }
    return broken('ended')
  } catch (error) {
    if (signal.aborted) return null
    if (watch.isSilent()) return broken('fell silent')
    return failureOf(error)
  } finally {
    watch.stop()
    signal.removeEventListener('abort', cancel)
    cancel()
  }
}

/** @throws {ConfigError} when the org, or its user, does not permit it. */
export async function mayListen(
  pubSub: PubSub,
  caller: Caller,
  signal: AbortSignal,
): Promise<void> {
  if (await pubSub.canSubscribe(TOPIC, caller, signal)) return
  throw notPermitted("Salesforce's stream may not be subscribed to")
}

/** @throws what is neither Salesforce's answer nor a failure of ours. */
export function failureOf(error: unknown): StreamFailure {
  if (isServiceError(error)) return streamFailure(error)
  if (isSyncFailure(error)) return { kind: 'failed', error }
  throw error
}

function firstRequest(place: Uint8Array | null): FetchRequest {
  const request = { topicName: TOPIC, numRequested: AT_ONCE }
  if (place === null) return { ...request, replayPreset: 'LATEST' }
  return { ...request, replayPreset: 'CUSTOM', replayId: place }
}

/** What happened before we listened, nobody tells any more. */
async function takeMissed(follower: StreamFollower): Promise<void> {
  await follower.take({ body: toldBody(follower.account, [], true), place: null })
}

async function take(
  listener: Listener,
  caller: Caller,
  response: { readonly events: readonly ConsumerEvent[]; readonly latestReplayId: Buffer },
  signal: AbortSignal,
): Promise<void> {
  const { follower } = listener
  const changes: ChangeEvent[] = []
  let isMissed = false
  for (const event of response.events) {
    const change = await readEvent(listener, caller, event, signal)
    if (change === null) isMissed = true
    else changes.push(change)
  }
  const place = response.events.at(-1)?.replayId ?? response.latestReplayId
  if (place.length > 0) listener.place = place
  await follower.take({
    body: toldBody(follower.account, changes, isMissed),
    place: listener.place,
  })
}

/** Null when nobody can read it: then it stands for anything. */
async function readEvent(
  { pubSub, schemas }: Listener,
  caller: Caller,
  { event }: ConsumerEvent,
  signal: AbortSignal,
): Promise<ChangeEvent | null> {
  if (event === null) return null
  const { schemaId, payload } = event
  if (!schemas.has(schemaId)) {
    const json = await pubSub.schema(schemaId, caller, signal)
    const schema = orNull(() => eventSchema(json))
    if (schema === null) return null
    schemas.set(schemaId, schema)
  }
  return orNull(() => schemas.get(schemaId)?.read(payload) ?? null)
}

/** What others have written is read as data: if it cannot be, that is no fault of ours. */
function orNull<T>(read: () => T): T | null {
  try {
    return read()
  } catch {
    return null
  }
}

function broken(how: string): StreamFailure {
  return { kind: 'failed', error: new RetryableError(`Salesforce's stream ${how}.`) }
}

/** Calls back when nothing was heard for too long. */
function watchSilence(silenceMs: number, onSilence: () => void) {
  let timer: NodeJS.Timeout | null = null
  let silent = false
  const stop = () => {
    if (timer !== null) clearTimeout(timer)
    timer = null
  }
  return {
    heard() {
      stop()
      timer = setTimeout(() => {
        silent = true
        onSilence()
      }, silenceMs)
      timer.unref()
    },
    isSilent: () => silent,
    stop,
  }
}
