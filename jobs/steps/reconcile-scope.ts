import type { ObjectMapping } from '../../src/core/mapping/crm-mapping.ts'
import type { Crm, CrmObject, FitValues } from '../../src/core/ports/crm.ts'
import type { RecordUpdate } from '../../src/infra/postgres/crm-record-store.ts'
import type { LeaseHolder } from '../../src/infra/postgres/record-leases.ts'
import type { JobContext, RunNotes } from '../context.ts'
import type { Doubts } from './doubts.ts'
import type { Located } from './locate.ts'
import type { PlanWatch } from './plan-watch.ts'

/** What a pass over one object of a CRM works with. */
export interface ReconcileScope {
  readonly context: Pick<JobContext, 'db' | 'clock' | 'onProgress'>
  readonly crm: Crm
  readonly object: CrmObject
  readonly rules: ObjectMapping
  /** Only records of who is qualified and that are due; absent for all that are open. */
  readonly isHot?: boolean
  readonly signal: AbortSignal
  readonly run: RunNotes
  readonly doubts: Doubts
  readonly plan: PlanWatch
  /** Which subject took which CRM record in this pass: subject by CRM id. */
  readonly claims: Map<string, string>
  /** Subjects whose records somebody else held when they were sent; they wait for the next run. */
  readonly busy: Set<string>
  /** What records will hold of what they should say. */
  readonly fitted: FitValues
}

/** How values are fitted to the records of an object. */
export async function fitOf(crm: Crm, object: CrmObject, signal: AbortSignal): Promise<FitValues> {
  return (await crm.fitting?.(object, signal)) ?? ((_crmId, values) => values)
}

/** The same for who writes, and therefore shares the records with other workers. */
export interface WritingScope extends ReconcileScope {
  /** Who has the leases on the records that are worked on. */
  readonly holder: LeaseHolder
}

/** What a pass is given; the rest it makes for itself. */
export type GivenScope = Omit<ReconcileScope, 'doubts' | 'claims' | 'plan' | 'busy' | 'fitted'>

/**
 * Whether several workers may write records of a CRM side by side. Not where a write is a job of the CRM, of which there should be few, nor
 * where it locks the company that a record is under.
 */
export const isShared = ({ bulkFrom, writesUnderCompany }: Crm): boolean =>
  bulkFrom === undefined && writesUnderCompany !== true

/** How a record stands, to be stored. */
export function recordUpdate(
  at: Located,
  state: RecordUpdate['state'],
  why: Partial<Pick<RecordUpdate, 'reason' | 'code' | 'correlationId' | 'dueAt'>> = {},
): RecordUpdate {
  return {
    ref: at.row.ref,
    desired: at.row.desired,
    state,
    crmId: at.crmId,
    ownerId: at.ownerId,
    written: at.written,
    created: at.created,
    candidates: at.candidates,
    reason: why.reason ?? null,
    code: why.code ?? null,
    correlationId: why.correlationId ?? null,
    ledger: at.ledger,
    dueAt: why.dueAt ?? null,
    turn: at.turn,
  }
}
