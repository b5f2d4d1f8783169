import { randomUUID } from 'node:crypto'
import { sql } from 'kysely'
import type { Pool } from 'pg'
import type { CrmObject } from '../../core/ports/crm.ts'
import type { Db } from './database.ts'
import { withLock } from './lock.ts'

/** Somebody who takes records of a CRM to work on them. */
export interface LeaseHolder {
  readonly crm: string
  readonly id: string
}

const lockOf = (id: string): string => `lease ${id}`

/**
 * Runs `work` with a holder for leases on records of a CRM. They last until they are given back, the work is over, or the process or
 * its session has ended: then whoever comes next takes them over.
 */
export async function withLeases<T>(
  { db, pool }: { readonly db: Db; readonly pool: Pool },
  crm: string,
  work: (holder: LeaseHolder, lost: AbortSignal) => Promise<T>,
): Promise<T> {
  const holder = { crm, id: randomUUID() }
  const ran = await withLock(pool, lockOf(holder.id), async (lost) => {
    try {
      return await work(holder, lost)
    } finally {
      // What cannot be given back now is free with the end of the session.
      await giveAllBack(db, holder).catch(() => {})
    }
  })
  if (ran === null) throw new Error('the lock of a new holder was taken')
  return ran.value
}

/** Gives back leases on records that are settled; those that are still open stay with their holder. */
export async function giveBackSettled(
  db: Db,
  { crm, id }: LeaseHolder,
  refs: readonly string[],
): Promise<void> {
  if (refs.length === 0) return
  await sql`delete from crm_lease l using crm_record r
    where l.crm = ${crm} and l.holder = ${id} and l.ref = any(${[...refs]}::text[])
      and r.crm = l.crm and r.ref = l.ref and r.state not in ('pending', 'writing')`.execute(db)
}

/** Gives back leases on records that were not looked at. */
export async function giveBack(
  db: Db,
  { crm, id }: LeaseHolder,
  refs: readonly string[],
): Promise<void> {
  if (refs.length === 0) return
  await sql`delete from crm_lease
    where crm = ${crm} and holder = ${id} and ref = any(${[...refs]}::text[])`.execute(db)
}

/** Gives back everything. */
export async function giveAllBack(db: Db, { crm, id }: LeaseHolder): Promise<void> {
  await sql`with claims as (delete from crm_claim where crm = ${crm} and holder = ${id})
    delete from crm_lease where crm = ${crm} and holder = ${id}`.execute(db)
}

/** Frees what was held by somebody whose session has ended. @returns how many records. */
export async function freeAbandoned(db: Db, { crm, id }: LeaseHolder): Promise<number> {
  const { rows } = await sql<{ n: number }>`with dead as materialized (
      select holder from (select holder from crm_lease where crm = ${crm}
          union select holder from crm_claim where crm = ${crm}) h
      where holder <> ${id} and pg_try_advisory_xact_lock(hashtextextended('lease ' || holder, 0))),
    claims as (delete from crm_claim where crm = ${crm} and holder in (select holder from dead)),
    freed as (delete from crm_lease where crm = ${crm} and holder in (select holder from dead)
      returning ref)
    select count(*)::int as n from freed`.execute(db)
  return rows[0]?.n ?? 0
}

/** How many open records of an object others are at work on. */
export async function heldByOthers(
  db: Db,
  { crm, id }: LeaseHolder,
  object: CrmObject,
): Promise<number> {
  const { rows } = await sql<{ n: number }>`select count(*)::int as n
    from crm_lease l join crm_record r using (ref, crm)
    where l.crm = ${crm} and l.holder <> ${id} and r.object = ${object}
      and r.state in ('pending', 'writing')`.execute(db)
  return rows[0]?.n ?? 0
}

/** A CRM record that a subject of ours is about to take. */
export interface Claim {
  readonly ref: string
  readonly crmId: string
}

/** Claims CRM records. @returns the subjects that may have theirs; the others come too late for now. */
export async function claimRecords(
  db: Db,
  { crm, id }: LeaseHolder,
  object: CrmObject,
  claims: readonly Claim[],
): Promise<ReadonlySet<string>> {
  if (claims.length === 0) return new Set()
  const { rows } = await sql<{
    ref: string
  }>`insert into crm_claim as c (crm_id, crm, object, ref, holder)
    select crm_id, ${crm}, ${object}, ref, ${id}
    from unnest(${claims.map(({ crmId }) => crmId)}::text[], ${claims.map(({ ref }) => ref)}::text[])
      as n(crm_id, ref)
    order by crm_id
    on conflict (crm_id, crm, object) do update set ref = excluded.ref where c.holder = excluded.holder
    returning ref`.execute(db)
  return new Set(rows.map(({ ref }) => ref))
}

/** True while somebody is at work on records of a CRM. */
export async function anyLeases(db: Db, crm: string): Promise<boolean> {
  const { rows } = await sql<{ any: boolean }>`
    select exists (select from crm_lease where crm = ${crm}) as any`.execute(db)
  return rows[0]?.any ?? false
}

/** True while a record of an object is open, whoever is at work on it. */
export async function anyOpen(db: Db, crm: string, object: CrmObject): Promise<boolean> {
  const { rows } = await sql<{ any: boolean }>`select exists (select from crm_record
    where crm = ${crm} and object = ${object} and state in ('pending', 'writing')) as any`.execute(
    db,
  )
  return rows[0]?.any ?? false
}
