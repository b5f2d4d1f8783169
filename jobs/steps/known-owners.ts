import type { Crm, CrmOwner } from '../../src/core/ports/crm.ts'
import { readStoredOwners, storeOwners } from '../../src/infra/postgres/owner-store.ts'
import type { JobContext } from '../context.ts'

/** Owners are read again when they were read so long ago. */
const OLD_AFTER_MS = 15 * 60_000

/** The owners of a CRM, as they were read last or anew when that is too long ago. */
export async function knownOwners(
  { db, clock }: Pick<JobContext, 'db' | 'clock'>,
  crm: Crm,
  signal: AbortSignal,
): Promise<readonly CrmOwner[]> {
  const now = clock()
  const stored = await readStoredOwners(db, crm.name, new Date(now.getTime() - OLD_AFTER_MS))
  if (stored) return stored
  const owners = await crm.owners(signal)
  await storeOwners(db, crm.name, owners, now)
  return owners
}
