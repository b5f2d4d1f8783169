import { createHash } from 'node:crypto'
import type { Hash, Ledger } from '../../src/core/sync/ledger.ts'
import type { FieldStep, NextWrite } from '../../src/core/sync/next-write.ts'
import type { NotedEdit } from '../../src/infra/postgres/crm-edit-store.ts'
import type { EditOutcome } from '../../src/infra/postgres/tables.ts'
import type { RunNotes } from '../context.ts'

/** Stands for a value in the ledger. */
export const hashOf: Hash = (text) => createHash('sha256').update(text).digest('hex').slice(0, 16)

/** What becomes of values that somebody else gave to properties of ours. */
export function editsOf(
  ref: string,
  edits: readonly string[],
  { fields }: Pick<NextWrite, 'fields'>,
): NotedEdit[] {
  return edits.map((property) => ({ ref, property, outcome: outcomeOf(fields.get(property)) }))
}

function outcomeOf(step: FieldStep | undefined): EditOutcome {
  switch (step?.kind) {
    case 'write':
      return 'restored'
    case 'park':
      return 'parked'
    case 'adopt':
      return 'taken'
    case 'hold':
    case undefined:
      return 'respected'
  }
}

/** Tells a person which properties are left alone from now on because somebody else puts another value back. */
export function tellParked(
  { run }: { readonly run: RunNotes },
  ref: string,
  ledger: Ledger,
  { fields }: Pick<NextWrite, 'fields'>,
): void {
  const names = [...fields].flatMap(([name, step]) =>
    step.kind === 'park' && ledger[name]?.parked === undefined ? [name] : [],
  )
  if (names.length === 0) return
  const reason = `${names.join(', ')}: somebody else put another value back after three writes within an hour; it is left alone until ripen parked --retry or a change of the mapping`
  run.note({ ref, outcome: 'parked', reason, correlationId: null })
  run.count('fieldsParked', names.length)
}
