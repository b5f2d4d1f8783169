import { createCompanyOf } from './company-auto-create.ts'
import { notFound } from './hubspot-error.ts'
import type { ObjectType } from './object-types.ts'
import type { PortalState } from './portal-state.ts'
import { viewWritten } from './record-view.ts'
import { applyPlanned, type PlannedWrite } from './write-plan.ts'

export interface WriteOptions {
  readonly autoCreateCompanies: boolean
  /** Updates and upserts with trace ids are carried out input by input. */
  readonly partialBatches?: boolean
  readonly now: () => number
}

/** Carries out planned writes as one. */
export function commitWrites(
  state: PortalState,
  options: WriteOptions,
  type: ObjectType,
  planned: readonly PlannedWrite[],
): void {
  state.transact(() => {
    for (const write of planned) applyPlanned(state, type, write)
    if (type !== 'contacts' || !options.autoCreateCompanies) return
    for (const { id, set } of planned) if (set['email']) createCompanyOf(state, id)
  })
}

/** The record as the answer to its write shows it. */
export function viewPlanned(
  state: PortalState,
  type: ObjectType,
  planned: PlannedWrite,
): Record<string, unknown> {
  const record = state.table(type).live(planned.id)
  if (record === undefined) throw notFound('resource not found')
  return viewWritten(type, record, [
    ...Object.keys(planned.set),
    ...Object.keys(planned.system),
    ...(planned.echo ?? []),
  ])
}
