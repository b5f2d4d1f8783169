import type { OrgState } from '../org-state.ts'
import { wholeSecond } from '../salesforce-time.ts'
import type { PeopleAtWork, Values } from './people-at-work.ts'

/**
 * A transaction that takes its time: nobody sees its changes before it commits, and when it does they
 * are stamped with the moment at which they were made.
 */
export interface OpenTransaction {
  create(object: string, values: Values): void
  edit(object: string, id: string, values: Values): void
  commit(): void
  rollback(): void
}

/** Begins one. `act` runs work at a moment of the past. */
export function openTransaction(
  state: OrgState,
  actAt: (at: number) => Pick<PeopleAtWork, 'create' | 'edit'>,
): OpenTransaction {
  const since = wholeSecond(state.now())
  const work: (() => void)[] = []
  let isOpen = true
  state.openSince.push(since)
  const end = (): void => {
    if (!isOpen) throw new Error('the transaction has ended')
    isOpen = false
    state.openSince.splice(state.openSince.indexOf(since), 1)
  }
  const later = (body: (people: Pick<PeopleAtWork, 'create' | 'edit'>) => unknown): void => {
    const at = state.now()
    work.push(() => void body(actAt(at)))
  }
  return {
    create: (object, values) => later((people) => people.create(object, values)),
    edit: (object, id, values) => later((people) => people.edit(object, id, values)),
    commit: () => {
      end()
      for (const one of work) one()
    },
    rollback: end,
  }
}
