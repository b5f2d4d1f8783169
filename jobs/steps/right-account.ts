import { ConfigError } from '../../src/core/errors.ts'
import type { Crm } from '../../src/core/ports/crm.ts'
import { noteAccount } from '../../src/infra/postgres/crm-account-store.ts'
import type { Db } from '../../src/infra/postgres/database.ts'

/** CRMs whose account this process has seen; a token that is exchanged needs a restart, or an authorisation that looks itself. */
const seen = new WeakMap<Db, Set<string>>()

/**
 * Looks once whose account the credentials are of, before anything is read or written there.
 * @throws {ConfigError} when our records lie in another one.
 */
export async function seeAccount(db: Db, crm: Crm, signal: AbortSignal): Promise<void> {
  const names = seen.get(db) ?? new Set()
  if (names.has(crm.name)) return
  await noteAccount(db, crm.name, await accountId(crm, signal))
  seen.set(db, names.add(crm.name))
}

/** Null where the token may not ask for it; what else is wrong with it is told by the calls that follow. */
async function accountId(crm: Crm, signal: AbortSignal): Promise<string | null> {
  try {
    return await crm.accountId(signal)
  } catch (error) {
    if (error instanceof ConfigError) return null
    throw error
  }
}
