import { z } from 'zod'

/** What came back from one call, before anybody judged it. `body` is parsed JSON, or null when it is not JSON. */
export interface Answer {
  readonly status: number
  /** Names in lower case. */
  readonly headers: Readonly<Record<string, string>>
  readonly body: unknown
}

const text = z.string().optional().catch(undefined)
const id = z.union([z.string(), z.number()]).transform(String)
const context = z.record(z.string(), z.array(id)).optional().catch(undefined)

const detail = z.object({ message: text, code: text, in: text, context })
const validation = z.object({ message: text, error: text, name: text })

/** Every field is optional in HubSpot's own schema, so nothing is demanded here. */
const errorBody = z.object({
  status: text,
  message: text,
  correlationId: text,
  category: text,
  subCategory: text,
  policyName: text,
  context,
  errors: z.array(detail).optional().catch(undefined),
  validationResults: z.array(validation).optional().catch(undefined),
})

/** HubSpot's error object, as far as it was readable. */
export type HubspotErrorBody = z.infer<typeof errorBody>

const propertyValue = z.union([z.string(), z.number(), z.boolean()]).transform(String)
const pastValue = z.object({ value: propertyValue.nullish().catch(null), timestamp: text })
const recordShape = z.object({
  id,
  properties: z.record(z.string(), propertyValue.nullable().catch(null)).catch({}),
  /** Newest first. */
  propertiesWithHistory: z
    .record(z.string(), z.array(pastValue).catch([]))
    .optional()
    .catch(undefined),
  createdAt: text,
  archived: z.boolean().optional().catch(undefined),
  objectWriteTraceId: text,
  new: z.boolean().optional().catch(undefined),
})

/** One record as HubSpot returns it; values are strings, unset ones null. */
export type HubspotRecord = z.infer<typeof recordShape>

/** The part that all list and batch answers share. */
export interface Listing<Item> {
  readonly results: readonly Item[]
  readonly errors: readonly HubspotErrorBody[]
  /** Cursor of the next page; null on the last one. */
  readonly after: string | null
  readonly total: number | null
}

const listingShape = z.object({
  results: z.array(z.unknown()),
  errors: z.array(z.unknown()).optional().catch(undefined),
  total: z.number().optional().catch(undefined),
  paging: z
    .object({ next: z.object({ after: id }) })
    .optional()
    .catch(undefined),
})

/** Reads an error body; an unreadable one is an empty one. */
export function parseErrorBody(body: unknown): HubspotErrorBody {
  const parsed = errorBody.safeParse(body)
  return parsed.success ? parsed.data : {}
}

/** Reads one record; null when it has no id. */
export function parseRecord(body: unknown): HubspotRecord | null {
  const parsed = recordShape.safeParse(body)
  return parsed.success ? parsed.data : null
}

/**
 * Reads a list or batch answer; null when it has no `results` at all (an empty body, a proxy's page).
 * An item that cannot be read is left out: whoever waits for it sees it as unaccounted for.
 */
export function parseListing<Item>(
  body: unknown,
  parseItem: (item: unknown) => Item | null,
): Listing<Item> | null {
  const parsed = listingShape.safeParse(body)
  if (!parsed.success) return null
  return {
    results: parsed.data.results.map(parseItem).filter((item) => item !== null),
    errors: (parsed.data.errors ?? []).map(parseErrorBody),
    after: parsed.data.paging?.next.after ?? null,
    total: parsed.data.total ?? null,
  }
}
