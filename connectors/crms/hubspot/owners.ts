import { z } from 'zod'
import type { CrmOwner } from '../../../src/core/ports/crm.ts'
import { type Session, sendForListing } from './session.ts'

const PAGE_SIZE = 100
const ENDPOINT = 'GET owners'

const text = z.string().nullish().catch(null)
const id = z.union([z.string(), z.number()]).transform(String).nullish().catch(null)
const ownerShape = z.object({
  id: z.union([z.string(), z.number()]).transform(String),
  email: text,
  firstName: text,
  lastName: text,
  userId: id,
  userIdIncludingInactive: id,
})

/** Everybody a record may be owned by; people who have left come last and are not active. */
export async function readOwners(session: Session, signal: AbortSignal): Promise<CrmOwner[]> {
  const active = await readAll(session, false, signal)
  const activeIds = new Set(active.map((owner) => owner.id))
  const inactive = await readAll(session, true, signal)
  return [...active, ...inactive.filter((owner) => !activeIds.has(owner.id))]
}

/** One cheap read that needs a working token. */
export async function readOneOwner(session: Session, signal: AbortSignal): Promise<void> {
  await readPage(session, { archived: false, limit: 1 }, signal)
}

async function readAll(session: Session, archived: boolean, signal: AbortSignal) {
  const owners: CrmOwner[] = []
  let after: string | undefined
  do {
    const page = await readPage(session, { archived, limit: PAGE_SIZE, after }, signal)
    owners.push(...page.results.map((owner) => toCrmOwner(owner, !archived)))
    after = page.after ?? undefined
  } while (after !== undefined)
  return owners
}

function readPage(
  session: Session,
  page: { archived: boolean; limit: number; after?: string | undefined },
  signal: AbortSignal,
) {
  const { archived, limit, after } = page
  return sendForListing(
    session,
    {
      kind: 'read',
      endpoint: ENDPOINT,
      invoke: (options) => session.apis.owners.getPage(undefined, after, limit, archived, options),
    },
    (item) => ownerShape.safeParse(item).data ?? null,
    signal,
  )
}

function toCrmOwner(owner: z.infer<typeof ownerShape>, active: boolean): CrmOwner {
  const email = owner.email || null
  const name = [owner.firstName, owner.lastName].filter(Boolean).join(' ')
  // Of who has left, only the second one is filled.
  const userId = owner.userId ?? owner.userIdIncludingInactive ?? null
  return { id: owner.id, email, name: name || email || owner.id, active, userId }
}
