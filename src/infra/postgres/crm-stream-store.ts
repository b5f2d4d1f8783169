import { sql } from 'kysely'
import type { StreamTold } from '../../core/ports/crm-stream.ts'
import { storeDelivery } from './crm-delivery-store.ts'
import type { Db } from './database.ts'

/** `live`: it is followed. `broken`: it is tried again. `refused`: a person must act, or the CRM asks for a pause. */
export type StreamState = 'live' | 'broken' | 'refused'

/** Of which CRM, and of which account of it. */
export interface StreamOf {
  readonly crm: string
  readonly account: string
}

export interface StreamStatus {
  readonly state: StreamState
  readonly why: string | null
  readonly since: Date
  /** When the CRM last said something, be it that nothing happened. */
  readonly heardAt: Date | null
}

/** Behind what to go on; null when there is nothing to go on behind in this account. */
export async function streamPlace(db: Db, { crm, account }: StreamOf): Promise<Uint8Array | null> {
  const row = await db
    .selectFrom('crm_stream')
    .select('place')
    .where('crm', '=', crm)
    .where('account', '=', account)
    .executeTakeFirst()
  return row?.place ?? null
}

/** Stores what was told and how far that is, both or neither. */
export async function storeTold(
  db: Db,
  { crm, account }: StreamOf,
  { body, place }: StreamTold,
): Promise<void> {
  const bytes = place === null ? null : Buffer.from(place)
  const values = { account, place: bytes, state: 'live' as const, why: null }
  await db.transaction().execute(async (tx) => {
    if (body !== null) await storeDelivery(tx, crm, body)
    const heard = { ...values, heard_at: sql<Date>`now()` }
    await tx
      .insertInto('crm_stream')
      .values({ crm, ...heard })
      .onConflict((conflict) => conflict.column('crm').doUpdateSet(heard))
      .execute()
  })
}

/** Notes how it stands; since when, only when that is news. The place of another account is none. */
export async function noteStream(
  db: Db,
  { crm, account }: StreamOf,
  state: StreamState,
  why: string | null,
): Promise<void> {
  await sql`insert into crm_stream as s (crm, account, state, why)
    values (${crm}, ${account}, ${state}, ${why})
    on conflict (crm) do update set state = excluded.state, why = excluded.why,
      since = case when s.state = excluded.state then s.since else now() end,
      place = case when s.account = excluded.account then s.place end,
      account = excluded.account`.execute(db)
}

/** By name of the CRM; one that was never followed is absent. */
export async function readStreams(db: Db): Promise<ReadonlyMap<string, StreamStatus>> {
  const rows = await db
    .selectFrom('crm_stream')
    .select(['crm', 'state', 'why', 'since', 'heard_at as heardAt'])
    .execute()
  return new Map(rows.map(({ crm, ...status }) => [crm, status]))
}
