import type { ApiReply } from '../reply-sender.ts'
import type { ApiCall, ApiEndpoint } from './api-endpoint.ts'
import { bodyObject, queryList, readId } from './api-endpoint.ts'
import { batchAnswer, batchInputs, emptyBatch } from './batch-answer.ts'
import { HubspotError, notFound } from './hubspot-error.ts'
import { type ObjectType, readObjectType } from './object-types.ts'
import type { PortalState } from './portal-state.ts'
import type { PropertyDefinition } from './property-definition.ts'
import { changedProperty, newProperty } from './property-rules.ts'

const BATCH_LIMIT = 100

/** Property definitions: read, create, change, archive, and the two batches. */
export function propertyEndpoints(state: PortalState, now: () => number): ApiEndpoint[] {
  const path = '/crm/v3/properties/:objectType'
  const on = (
    method: ApiEndpoint['method'],
    suffix: string,
    kind: ApiEndpoint['kind'],
    handle: (type: ObjectType, call: ApiCall) => ApiReply,
  ): ApiEndpoint => ({
    method,
    path: `${path}${suffix}`,
    kind,
    handle: (call) => handle(readObjectType(call.params['objectType']), call),
  })
  const properties = new Properties(state, now)
  return [
    on('get', '', 'read', (type, call) => properties.list(type, call)),
    on('post', '', 'write', (type, call) => properties.create(type, call)),
    on('post', '/batch/create', 'write', (type, call) => properties.batchCreate(type, call)),
    on('post', '/batch/read', 'read', (type, call) => properties.batchRead(type, call)),
    on('post', '/batch/archive', 'write', (type, call) => properties.batchArchive(type, call)),
    on('get', '/:propertyName', 'read', (type, call) => properties.read(type, call)),
    on('patch', '/:propertyName', 'write', (type, call) => properties.update(type, call)),
    on('delete', '/:propertyName', 'write', (type, call) => properties.remove(type, call)),
  ]
}

class Properties {
  private readonly state: PortalState
  private readonly now: () => number

  constructor(state: PortalState, now: () => number) {
    this.state = state
    this.now = now
  }

  list(type: ObjectType, call: ApiCall): ApiReply {
    const archived = call.query.get('archived') === 'true'
    const names = queryList(call, 'properties')
    const results = [...this.state.properties(type).values()].filter(
      (property) =>
        property.archived === archived && (names.length === 0 || names.includes(property.name)),
    )
    return { status: 200, body: { results } }
  }

  create(type: ObjectType, call: ApiCall): ApiReply {
    const definition = newProperty(this.state, type, bodyObject(call), this.now())
    this.put(type, definition)
    return { status: 201, body: definition }
  }

  read(type: ObjectType, call: ApiCall): ApiReply {
    const archived = call.query.get('archived') === 'true'
    return { status: 200, body: this.require(type, call.params['propertyName'] ?? '', archived) }
  }

  update(type: ObjectType, call: ApiCall): ApiReply {
    const current = this.require(type, call.params['propertyName'] ?? '')
    const definition = changedProperty(this.state, type, current, bodyObject(call), this.now())
    this.put(type, definition)
    return { status: 200, body: definition }
  }

  remove(type: ObjectType, call: ApiCall): ApiReply {
    this.archive(type, this.require(type, call.params['propertyName'] ?? ''))
    return { status: 204 }
  }

  batchCreate(type: ObjectType, call: ApiCall): ApiReply {
    const inputs = batchInputs(call, BATCH_LIMIT)
    if (inputs.length === 0) return emptyBatch(this.now())
    const results: PropertyDefinition[] = []
    const errors: Record<string, unknown>[] = []
    for (const input of inputs) {
      try {
        const definition = newProperty(this.state, type, input, this.now())
        this.put(type, definition)
        results.push(definition)
      } catch (error) {
        if (!(error instanceof HubspotError)) throw error
        errors.push(error.toEntry({ name: [readId(input['name'])] }))
      }
    }
    return batchAnswer(201, results, this.now(), errors)
  }

  batchRead(type: ObjectType, call: ApiCall): ApiReply {
    const archived = bodyObject(call)['archived'] === true
    const names = batchInputs(call, BATCH_LIMIT).map((input) => readId(input['name']))
    const held = names.map((name) => this.state.properties(type).get(name))
    const results = held.filter((property) => property?.archived === archived)
    const found = new Set(results.map((property) => property?.name))
    const errors = names
      .filter((name) => !found.has(name))
      .map((name) => missing(type, name).toEntry({ name: [name] }))
    return batchAnswer(200, results, this.now(), errors)
  }

  batchArchive(type: ObjectType, call: ApiCall): ApiReply {
    for (const input of batchInputs(call, BATCH_LIMIT)) {
      const held = this.state.properties(type).get(readId(input['name']))
      if (held !== undefined && !held.archived) this.archive(type, held)
    }
    return { status: 204 }
  }

  private archive(type: ObjectType, definition: PropertyDefinition): void {
    if (!definition.modificationMetadata.archivable || definition.hubspotDefined) {
      throw new HubspotError(400, 'VALIDATION_ERROR', `Cannot delete property ${definition.name}`)
    }
    this.put(type, { ...definition, archived: true, updatedAt: new Date(this.now()).toISOString() })
  }

  private require(type: ObjectType, name: string, archived = false): PropertyDefinition {
    const definition = this.state.properties(type).get(name)
    if (definition === undefined || definition.archived !== archived) throw missing(type, name)
    return definition
  }

  private put(object: ObjectType, definition: PropertyDefinition): void {
    this.state.transact(() => this.state.apply({ op: 'property', object, definition }))
  }
}

function missing(type: ObjectType, name: string): HubspotError {
  return notFound(`No properties for object type ${type} found with name(s): ${name}`)
}
