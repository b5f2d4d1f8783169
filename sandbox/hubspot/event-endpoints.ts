import type { ApiCall, ApiEndpoint } from './api-endpoint.ts'
import { bodyObject, isObject } from './api-endpoint.ts'
import { invalid } from './hubspot-error.ts'

/** A custom event as the timeline shows it. */
export interface CustomEvent {
  readonly uuid: string | null
  readonly name: string
  readonly objectId: string | null
  readonly email: string | null
  readonly occurredAt: string
  readonly properties: Readonly<Record<string, string>>
}

/** Which events the account has defined, and those that came. */
export class CustomEvents {
  private readonly defined = new Set<string>()
  private readonly came: CustomEvent[] = []

  define(name: string): void {
    this.defined.add(name)
  }

  list(): readonly CustomEvent[] {
    return this.came
  }

  /** One of each UUID is kept. */
  take(event: CustomEvent): void {
    if (!this.defined.has(event.name)) {
      throw invalid(`Event ${event.name} does not exist or is archived.`)
    }
    if (event.uuid !== null && this.came.some(({ uuid }) => uuid === event.uuid)) return
    this.came.push(event)
  }
}

/** `POST /events/v3/send`; the answer has no body. */
export function eventEndpoints(events: CustomEvents, now: () => number): ApiEndpoint[] {
  return [
    {
      method: 'post',
      path: '/events/v3/send',
      kind: 'write',
      handle: (call) => {
        events.take(readEvent(call, now))
        return { status: 204 }
      },
    },
  ]
}

function readEvent(call: ApiCall, now: () => number): CustomEvent {
  const body = bodyObject(call)
  const text = (name: string) => (typeof body[name] === 'string' ? body[name] : null)
  const eventName = text('eventName')
  if (eventName === null) throw invalid('Some required fields were not set: [eventName]')
  const [objectId, email, utk] = [text('objectId'), text('email'), text('utk')]
  if (objectId === null && email === null && utk === null) {
    throw invalid('One of objectId, email and utk must be set')
  }
  const given = isObject(body['properties']) ? body['properties'] : {}
  const entries = Object.entries(given).map(([name, value]) => [name, String(value)] as const)
  return {
    ...{ uuid: text('uuid'), name: eventName, objectId, email },
    occurredAt: text('occurredAt') ?? new Date(now()).toISOString(),
    properties: Object.fromEntries(entries),
  }
}
