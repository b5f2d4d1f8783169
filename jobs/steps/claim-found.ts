import { sql } from 'kysely'
import { claimRecords } from '../../src/infra/postgres/record-leases.ts'
import type { ReconcileScope, WritingScope } from './reconcile-scope.ts'

interface FoundRecord {
  readonly row: { readonly ref: string }
  readonly crmId: string | null
  /** Null where it is new to us. */
  readonly written: unknown
}

/**
 * Claims the CRM records that were found just now. Who was late is left out: another worker has just taken the same record for another
 * subject of ours. She is looked at again when that one is written, and is in its way then, or not.
 */
export async function withoutClaimed<Found extends FoundRecord>(
  scope: WritingScope,
  located: readonly Found[],
): Promise<readonly Found[]> {
  const claims = located.flatMap(({ row, crmId, written }) =>
    crmId === null || written !== null ? [] : [{ ref: row.ref, crmId }],
  )
  if (claims.length === 0) return located
  const { context, holder, object } = scope
  const mine = await claimRecords(context.db, holder, object, claims)
  const owners = await ownersOf(
    scope,
    claims.map(({ crmId }) => crmId),
  )
  const late = new Set(
    claims.flatMap(({ ref, crmId }) => {
      const isTaken = owners.has(crmId) && owners.get(crmId) !== ref
      return isTaken || !mine.has(ref) ? [ref] : []
    }),
  )
  return late.size === 0 ? located : located.filter(({ row }) => !late.has(row.ref))
}

/** Which of these CRM records a record of ours was written to already. */
export async function ownersOf(
  { context, crm, object }: ReconcileScope,
  crmIds: readonly string[],
): Promise<ReadonlyMap<string, string>> {
  if (crmIds.length === 0) return new Map()
  const rows = await context.db
    .selectFrom('crm_record')
    .select(['crm_id', 'ref'])
    .where('crm', '=', crm.name)
    .where('object', '=', object)
    .where(sql<boolean>`crm_id = any(${[...new Set(crmIds)]}::text[])`)
    .where('written', 'is not', null)
    .orderBy('ref', 'desc')
    .execute()
  return new Map(rows.flatMap((row) => (row.crm_id === null ? [] : [[row.crm_id, row.ref]])))
}
