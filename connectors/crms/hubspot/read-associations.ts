import { z } from 'zod'
import type { OtherPath } from './hubspot-apis.ts'
import { assertOnlyAbsences, type Session, sendForListing } from './session.ts'

/** HubSpot's limit for one read of associations, in records. */
const MAX_ASSOCIATION_INPUTS = 1_000

const id = z.union([z.string(), z.number()]).transform(String)
const associatedShape = z.object({
  from: z.object({ id }),
  to: z
    .array(
      z.object({
        toObjectId: id,
        associationTypes: z.array(z.object({ typeId: z.number() })).catch([]),
      }),
    )
    .catch([]),
  paging: z
    .object({ next: z.object({ after: id }) })
    .optional()
    .catch(undefined),
})

export interface Association {
  readonly fromId: string
  readonly toId: string
  readonly typeIds: readonly number[]
}

/** Reads the associations of many records to one kind of object, page by page. */
export async function readAssociations(
  session: Session,
  from: 'companies' | 'contacts' | 'deals',
  to: 'companies' | OtherPath,
  recordIds: readonly string[],
  signal: AbortSignal,
): Promise<Association[]> {
  const found: Association[] = []
  let inputs: { id: string; after?: string }[] = [...new Set(recordIds)].map((id) => ({ id }))
  while (inputs.length > 0) {
    const page = inputs.slice(0, MAX_ASSOCIATION_INPUTS)
    const endpoint = `POST associations/${from}/${to}/batch/read`
    const listing = await sendForListing(
      session,
      {
        kind: 'read',
        endpoint,
        invoke: (options) => session.apis.associations.getPage(from, to, { inputs: page }, options),
      },
      (item) => associatedShape.safeParse(item).data ?? null,
      signal,
    )
    assertOnlyAbsences(listing.errors, endpoint)
    for (const { from: record, to: ends } of listing.results) {
      for (const { toObjectId, associationTypes } of ends) {
        const typeIds = associationTypes.map(({ typeId }) => typeId)
        found.push({ fromId: record.id, toId: toObjectId, typeIds })
      }
    }
    const next = listing.results.flatMap(({ from: { id }, paging }) =>
      paging ? [{ id, after: paging.next.after }] : [],
    )
    inputs = [...inputs.slice(MAX_ASSOCIATION_INPUTS), ...next]
  }
  return found
}

/** Who is associated with each of the other ends, by their ids. */
export function fromIdsByTo(
  associations: readonly Association[],
): ReadonlyMap<string, readonly string[]> {
  const ends = new Map<string, Set<string>>()
  for (const { fromId, toId } of associations) {
    const known = ends.get(toId)
    if (known) known.add(fromId)
    else ends.set(toId, new Set([fromId]))
  }
  return new Map([...ends].map(([toId, ids]) => [toId, [...ids]]))
}
