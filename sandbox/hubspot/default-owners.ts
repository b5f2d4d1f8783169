/** An owner as `/crm/v3/owners` shows it. */
export interface Owner {
  readonly id: string
  readonly email: string
  readonly type: 'PERSON' | 'QUEUE'
  readonly firstName: string
  readonly lastName: string
  readonly userId: number | null
  readonly userIdIncludingInactive: number
  readonly createdAt: string
  readonly updatedAt: string
  readonly archived: boolean
  readonly teams?: readonly { id: string; name: string; primary: boolean }[]
}

const people: readonly (readonly [first: string, last: string, archived?: boolean])[] = [
  ['Ada', 'Ferreira'],
  ['Ben', 'Okafor'],
  ['Chloe', 'Lindqvist'],
  ['Dev', 'Raman'],
  ['Elif', 'Demir'],
  ['Frank', 'Gone', true],
]

/** The sales team of a new account; the last one has left. */
export const DEFAULT_OWNERS: readonly Owner[] = people.map(([first, last, archived], index) =>
  makeOwner(index, {
    email: `${first}.${last}@sales.example`.toLowerCase(),
    firstName: first,
    lastName: last,
    archived: archived ?? false,
  }),
)

/** Completes an owner; `index` gives it an id and a user id that differ from each other. */
export function makeOwner(
  index: number,
  owner: Partial<Owner> & { readonly email: string },
): Owner {
  const userId = 9_500_001 + index
  const archived = owner.archived ?? false
  return {
    id: String(41_000_001 + index),
    type: 'PERSON',
    firstName: '',
    lastName: '',
    userId: archived ? null : userId,
    userIdIncludingInactive: userId,
    createdAt: '2024-01-15T09:00:00.000Z',
    updatedAt: '2024-01-15T09:00:00.000Z',
    archived,
    ...(archived ? {} : { teams: [{ id: '368389', name: 'Sales Team', primary: true }] }),
    ...owner,
  }
}
