import { z } from 'zod'

/**
 * HubSpot's endpoints as its documentation describes them, as far as the connector may call them. Written
 * from the documentation and not from the connector: a wrong path, name, form or size fails.
 */
export interface HubspotEndpoint {
  /** `METHOD path`, with the numbered version in it. */
  readonly name: string
  readonly method: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE'
  /** The same path by number and with a date; `:name` stands for one part of it. */
  readonly numbered: string
  readonly dated: string
  readonly query: z.ZodType
  /** Absent: the call has no body. */
  readonly body?: z.ZodType
  /** True where the body is a form. */
  readonly isForm?: boolean
  /** Characters of the body, at most. */
  readonly maxBody?: number
}

const id = z.string().regex(/^\d+$/, 'a record id is a number')
const name = z.string().regex(/^[a-z][a-z0-9_]*$/, 'internal names are lower case')
/** Values are strings on the wire, whatever their type; null is no way to clear one. */
const values = z.record(name, z.string().max(65_536))
const names = z.array(name)
const bool = z.enum(['true', 'false'])
const traceId = z.string().min(1).optional()
const batch = <Item extends z.ZodType>(item: Item, most: number) => z.array(item).min(1).max(most)
const empty = z.strictObject({})
/** A batch with nothing in it changes nothing; what a token may do is tried with one. */
const NOTHING = z.strictObject({ inputs: z.tuple([]) })

/** No record, and no trace id, may stand twice in a batch. */
function distinct<Input extends { id: string; objectWriteTraceId?: string | undefined }>(
  inputs: readonly Input[],
): boolean {
  const traces = inputs.flatMap((input) => input.objectWriteTraceId ?? [])
  return (
    new Set(inputs.map((input) => input.id.toLowerCase())).size === inputs.length &&
    new Set(traces).size === traces.length
  )
}
const ONCE = 'a record or a trace id stands twice in the batch'

const batchRead = z.strictObject({
  inputs: batch(z.strictObject({ id: z.string().min(1) }), 100),
  properties: names,
  propertiesWithHistory: names,
  idProperty: name.optional(),
})

const batchUpsert = z.strictObject({
  inputs: batch(
    z.strictObject({
      id: z.string().min(1),
      idProperty: name,
      properties: values,
      objectWriteTraceId: traceId,
    }),
    100,
  ).refine(distinct, ONCE),
})

const batchUpdate = z.strictObject({
  inputs: batch(
    z.strictObject({ id, properties: values, objectWriteTraceId: traceId }),
    100,
  ).refine(distinct, ONCE),
})

const OPERATORS = [
  ...['EQ', 'NEQ', 'LT', 'LTE', 'GT', 'GTE', 'BETWEEN', 'IN', 'NOT_IN', 'HAS_PROPERTY'],
  ...['NOT_HAS_PROPERTY', 'CONTAINS_TOKEN', 'NOT_CONTAINS_TOKEN'],
] as const
const filter = z
  .strictObject({
    propertyName: name,
    operator: z.enum(OPERATORS),
    value: z.string().optional(),
    highValue: z.string().optional(),
    values: z.array(z.string()).min(1).optional(),
  })
  .refine(({ operator, value, values: list }) => {
    if (operator === 'IN' || operator === 'NOT_IN') return list !== undefined
    return operator.includes('HAS_PROPERTY') || value !== undefined
  }, 'IN takes values, the others take a value')
  .refine(
    ({ values: list }) =>
      list === undefined || list.every((value) => value === value.toLowerCase()),
    'values of IN must be in lower case',
  )
const sort = z.union([
  // A minus in front turns the order round.
  z.string().regex(/^-?[a-z][a-z0-9_]*$/, 'internal names are lower case'),
  z.strictObject({ propertyName: name, direction: z.enum(['ASCENDING', 'DESCENDING']) }),
])
const search = z
  .strictObject({
    query: z.string().optional(),
    filterGroups: z.array(z.strictObject({ filters: z.array(filter).min(1).max(6) })).max(5),
    properties: names,
    sorts: z.array(sort).max(1).optional(),
    limit: z.number().int().min(1).max(200),
    after: z.string().regex(/^\d+$/).optional(),
  })
  .refine(
    ({ filterGroups }) => filterGroups.flatMap((group) => group.filters).length <= 18,
    'at most 18 filters',
  )

const associationType = (ids: readonly number[]) =>
  z.strictObject({
    associationCategory: z.literal('HUBSPOT_DEFINED'),
    associationTypeId: z.number().refine((type) => ids.includes(type), 'not a type of this pair'),
  })
/** From a task: contact, company, deal, ticket and lead. */
const TASK_TARGETS = [204, 192, 216, 230, 647]
const createTask = z.strictObject({
  properties: z.strictObject({
    // When it is due; HubSpot refuses a task without.
    hs_timestamp: z.union([z.iso.datetime(), z.string().regex(/^\d{13}$/)]),
    hs_task_subject: z.string().optional(),
    hs_task_body: z.string().max(65_536).optional(),
    hs_task_status: z
      .enum(['NOT_STARTED', 'IN_PROGRESS', 'WAITING', 'DEFERRED', 'COMPLETED'])
      .optional(),
    hs_task_priority: z.enum(['LOW', 'MEDIUM', 'HIGH']).optional(),
    hs_task_type: z.enum(['EMAIL', 'CALL', 'TODO']).optional(),
    hs_task_reminders: z
      .string()
      .regex(/^\d{13}$/)
      .optional(),
    hs_queue_membership_ids: z
      .string()
      .regex(/^\d+(;\d+)*$/)
      .optional(),
    hubspot_owner_id: id.optional(),
  }),
  associations: z.array(
    z.strictObject({
      to: z.strictObject({ id }),
      types: z.array(associationType(TASK_TARGETS)).min(1),
    }),
  ),
})
const tracedTask = createTask.extend({ objectWriteTraceId: z.string().min(1) })

/** What may be set on a task that is there; nothing is required. */
const updateTask = z.strictObject({
  properties: createTask.shape.properties.partial(),
})

/** From a note: contact, company, deal and ticket. */
const NOTE_TARGETS = [202, 190, 214, 228]
const createNote = z.strictObject({
  properties: z.strictObject({
    // Where it stands on the timeline; HubSpot refuses a note without.
    hs_timestamp: z.union([z.iso.datetime(), z.string().regex(/^\d{13}$/)]),
    hs_note_body: z.string().max(65_536).optional(),
    hubspot_owner_id: id.optional(),
    hs_attachment_ids: z
      .string()
      .regex(/^\d+(;\d+)*$/)
      .optional(),
  }),
  associations: z.array(
    z.strictObject({
      to: z.strictObject({ id }),
      types: z.array(associationType(NOTE_TARGETS)).min(1),
    }),
  ),
})
const updateNote = z.strictObject({ properties: createNote.shape.properties.partial() })

const token = z.string().min(1)
const oauthClient = { client_id: token, client_secret: token }
const oauthToken = z.discriminatedUnion('grant_type', [
  z.strictObject({
    grant_type: z.literal('authorization_code'),
    code: token,
    redirect_uri: z.url(),
    code_verifier: z
      .string()
      .regex(/^[A-Za-z0-9._~-]{43,128}$/)
      .optional(),
    ...oauthClient,
  }),
  z.strictObject({
    grant_type: z.literal('refresh_token'),
    refresh_token: token,
    ...oauthClient,
  }),
])

const option = z.strictObject({
  label: z.string().min(1),
  value: z.string().min(1),
  displayOrder: z.number().int().optional(),
  hidden: z.boolean(),
  description: z.string().optional(),
})
const FIELD_TYPES = {
  bool: ['booleancheckbox', 'calculation_equation'],
  date: ['date'],
  datetime: ['date'],
  enumeration: ['booleancheckbox', 'checkbox', 'radio', 'select', 'calculation_equation'],
  number: ['number', 'calculation_equation'],
  string: ['file', 'text', 'textarea', 'html', 'phonenumber', 'calculation_equation'],
} as const
const createProperty = z
  .strictObject({
    name,
    label: z.string().min(1),
    groupName: name,
    type: z.enum(['bool', 'date', 'datetime', 'enumeration', 'number', 'string']),
    fieldType: z.string(),
    description: z.string().optional(),
    options: z.array(option).min(1).optional(),
    displayOrder: z.number().int().optional(),
    hasUniqueValue: z.boolean().optional(),
    hidden: z.boolean().optional(),
    formField: z.boolean().optional(),
  })
  .refine(
    ({ type, fieldType }) => FIELD_TYPES[type].some((known) => known === fieldType),
    'a field type that does not go with the type',
  )
  .refine(
    ({ type, options }) => (type === 'enumeration') === (options !== undefined),
    'options go with enumerations, and only with those',
  )

const associationInputs = (most: number) =>
  z.strictObject({
    inputs: batch(z.strictObject({ id, after: z.string().min(1).optional() }), most),
  })
const associateDefault = z.strictObject({
  inputs: batch(
    z.strictObject({ from: z.strictObject({ id }), to: z.strictObject({ id }) }),
    2_000,
  ),
})

const objects = '/crm/v3/objects/:object'
const datedObjects = '/crm/objects/:version/:object'
const properties = '/crm/v3/properties/:object'
const datedProperties = '/crm/properties/:version/:object'
const associations = '/crm/v4/associations/:from/:to'
const datedAssociations = '/crm/associations/:version/:from/:to'

const lists = '/crm/v3/lists/:listId'
const datedLists = '/crm/lists/:version/:listId'
/** Whoever is in a list already is no error; nobody at all changes nothing. */
const members = z.array(id).max(100_000)
const event = z
  .strictObject({
    eventName: z.string().regex(/^pe\d+_[a-z0-9_]+$/, 'the full name of an event'),
    objectId: id.optional(),
    email: z.string().optional(),
    utk: z.string().optional(),
    uuid: z.uuid().optional(),
    occurredAt: z.iso.datetime().optional(),
    properties: z.record(name, z.string().max(1_024)).optional(),
  })
  .refine(
    (one) => [one.objectId, one.email, one.utk].some((who) => who !== undefined),
    'it must be somebody’s',
  )

function endpoint(
  method: HubspotEndpoint['method'],
  [numbered, dated]: readonly [string, string],
  rest: Partial<Pick<HubspotEndpoint, 'query' | 'body' | 'maxBody' | 'isForm'>> = {},
): HubspotEndpoint {
  return { name: `${method} ${numbered}`, method, numbered, dated, query: empty, ...rest }
}
const under = (a: string, b: string, path: string) => [`${a}${path}`, `${b}${path}`] as const

const ownersQuery = z.strictObject({
  limit: z.coerce.number().int().min(1).max(100).optional(),
  after: z.string().optional(),
  email: z.string().optional(),
  archived: bool.optional(),
})

/** In the order in which they are tried: fixed paths before those with ids. */
export const HUBSPOT_ENDPOINTS: readonly HubspotEndpoint[] = [
  endpoint('GET', ['/crm/v3/owners/', '/crm/owners/:version'], { query: ownersQuery }),
  endpoint('GET', under(properties, datedProperties, '/groups/:name')),
  endpoint('POST', under(properties, datedProperties, '/groups'), {
    body: z.strictObject({ name, label: z.string().min(1), displayOrder: z.number().optional() }),
  }),
  endpoint('POST', under(properties, datedProperties, '/batch/create'), {
    body: z.union([z.strictObject({ inputs: batch(createProperty, 100) }), NOTHING]),
  }),
  endpoint('GET', under(properties, datedProperties, '/:name'), {
    query: z.strictObject({ archived: bool.optional(), properties: z.string().optional() }),
  }),
  // The list of options replaces the one that is there.
  endpoint('PATCH', under(properties, datedProperties, '/:name'), {
    body: z.strictObject({ options: z.array(option).min(1) }),
  }),
  endpoint('GET', under(properties, datedProperties, ''), {
    query: z.strictObject({
      archived: bool.optional(),
      dataSensitivity: z.enum(['sensitive', 'non_sensitive']).optional(),
    }),
  }),
  endpoint('POST', under(objects, datedObjects, '/batch/read'), {
    query: z.strictObject({ archived: bool.optional() }),
    body: batchRead,
  }),
  endpoint('POST', under(objects, datedObjects, '/batch/upsert'), { body: batchUpsert }),
  endpoint('POST', under(objects, datedObjects, '/batch/update'), {
    body: z.union([batchUpdate, NOTHING]),
  }),
  endpoint('POST', under(objects, datedObjects, '/batch/archive'), {
    body: z.strictObject({ inputs: batch(z.strictObject({ id }), 100) }),
  }),
  endpoint('POST', under(objects, datedObjects, '/search'), { body: search, maxBody: 3_000 }),
  endpoint('POST', ['/crm/v3/objects/tasks', '/crm/objects/:version/tasks'], { body: createTask }),
  endpoint(
    'POST',
    ['/crm/v3/objects/tasks/batch/create', '/crm/objects/:version/tasks/batch/create'],
    { body: z.strictObject({ inputs: batch(tracedTask, 100) }) },
  ),
  endpoint('PATCH', ['/crm/v3/objects/tasks/:id', '/crm/objects/:version/tasks/:id'], {
    body: updateTask,
  }),
  endpoint('POST', ['/crm/v3/objects/notes', '/crm/objects/:version/notes'], { body: createNote }),
  endpoint('PATCH', ['/crm/v3/objects/notes/:id', '/crm/objects/:version/notes/:id'], {
    body: updateNote,
  }),
  endpoint('GET', under(objects, datedObjects, ''), {
    query: z.strictObject({
      limit: z.coerce.number().int().min(1).max(100).optional(),
      after: z.string().optional(),
      properties: z.string().optional(),
      archived: bool.optional(),
    }),
  }),
  endpoint('GET', under(objects, datedObjects, '/:id'), {
    query: z.strictObject({
      properties: z.string().optional(),
      propertiesWithHistory: z.string().optional(),
      associations: z.string().optional(),
      archived: bool.optional(),
      idProperty: name.optional(),
    }),
  }),
  endpoint('POST', under(associations, datedAssociations, '/batch/read'), {
    body: associationInputs(1_000),
  }),
  endpoint('POST', under(associations, datedAssociations, '/batch/associate/default'), {
    body: associateDefault,
  }),
  endpoint('GET', ['/account-info/v3/details', '/account-info/:version/details']),
  endpoint('GET', [
    '/account-info/v3/api-usage/daily/private-apps',
    '/account-info/:version/api-usage/daily/private-apps',
  ]),
  endpoint('GET', ['/crm/v3/limits/custom-properties', '/crm/limits/:version/custom-properties']),
  endpoint('GET', [
    '/crm/v3/property-validations/:objectTypeId',
    '/crm/property-validations/:version/:objectTypeId',
  ]),
  endpoint('GET', ['/crm/v3/pipelines/:object', '/crm/pipelines/:version/:object']),
  endpoint('GET', under(lists, datedLists, ''), {
    query: z.strictObject({ includeFilters: bool.optional() }),
  }),
  endpoint('PUT', under(lists, datedLists, '/memberships/add'), { body: members }),
  endpoint('PUT', under(lists, datedLists, '/memberships/remove'), { body: members }),
  endpoint('POST', ['/events/v3/send', '/events/:version/send'], { body: z.union([event, empty]) }),
  // Neither follows the dated versions of the others.
  endpoint(
    'POST',
    [
      '/oauth/v2/private-apps/get/access-token-info',
      '/oauth/v2/private-apps/get/access-token-info',
    ],
    { body: z.strictObject({ tokenKey: token }) },
  ),
  endpoint('POST', ['/oauth/2026-03/token', '/oauth/2026-03/token'], {
    body: oauthToken,
    isForm: true,
  }),
]
