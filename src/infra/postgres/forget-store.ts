import { sql } from 'kysely'
import { z } from 'zod'
import type { Forgotten } from '../lake/drop-forgotten.ts'
import { seal } from '../seal.ts'
import type { Db, Tx } from './database.ts'
import { requestWork } from './work.ts'

const count = z.record(z.string(), z.number())

/** What was removed for one request; it says nothing about whom it was about. */
const removedSchema = z.object({
  /** Rows of tables, by table. */
  rows: count.default({}),
  /** Lake files that were written again or dropped, and how many rows they lost. */
  files: z.array(z.object({ file: z.string(), rows: z.number() })).default([]),
})

const inCrmSchema = z.array(
  z.object({
    crm: z.string(),
    object: z.enum(['contact', 'company', 'task', 'deal']),
    id: z.string(),
    /** `erase` the record, or look over what it `mentions`. */
    todo: z.enum(['erase', 'mentions']),
  }),
)

export type Removed = z.output<typeof removedSchema>
export type InCrm = z.output<typeof inCrmSchema>

export interface Receipt {
  readonly id: string
  readonly requestedAt: string
  /** Null while the work is not done. */
  readonly finishedAt: string | null
  readonly removed: Removed
  /** What the CRMs still hold, by their own ids. */
  readonly inCrm: InCrm
  /** Hashes that keep the person out of later pulls. */
  readonly hashes: number
}

/** The person who has an address: her id and all nodes of hers; null when nobody has it. */
export async function findByEmail(
  db: Db,
  email: string,
): Promise<{ readonly personId: string; readonly nodes: readonly string[] } | null> {
  const rows = await db
    .selectFrom('identity_node as n')
    .innerJoin('identity_node as known', 'known.person_id', 'n.person_id')
    .select(['n.node', 'n.person_id'])
    .where('known.node', '=', `email/${email}`)
    .execute()
  const personId = rows[0]?.person_id
  return personId === undefined ? null : { personId, nodes: rows.map((row) => row.node) }
}

/**
 * Notes that whoever is behind these nodes is to be forgotten, and asks for it.
 * @returns the id of the receipt.
 */
export async function requestForget(db: Db, nodes: readonly string[]): Promise<string> {
  return db.transaction().execute((tx) => askToForget(tx, nodes))
}

/** The same, as part of a transaction. */
export async function askToForget(tx: Tx, nodes: readonly string[]): Promise<string> {
  const { id } = await tx
    .insertInto('forget_receipt')
    .defaultValues()
    .returning('id')
    .executeTakeFirstOrThrow()
  await addHashes(tx, id, nodes)
  await requestWork(tx, 'forget', 'all')
  return id
}

/** The receipt of one of these nodes that is asked to be forgotten, while the work is not done; else null. */
export async function receiptInWork(tx: Tx, nodes: readonly string[]): Promise<string | null> {
  const key = await sealingKey(tx)
  const hashes = nodes.map((node) => seal(key, node))
  const row = await tx
    .selectFrom('forgotten as f')
    .innerJoin('forget_receipt as r', 'r.id', 'f.receipt_id')
    .select('f.receipt_id')
    .where('r.finished_at', 'is', null)
    .where(sql<boolean>`f.hash = any(${hashes}::text[])`)
    .executeTakeFirst()
  return row?.receipt_id ?? null
}

/** Keeps these nodes out from now on, for the sake of a receipt. */
export async function addHashes(
  tx: Tx | Db,
  receiptId: string,
  nodes: readonly string[],
): Promise<void> {
  const key = await sealingKey(tx)
  const hashes = nodes.map((node) => seal(key, node))
  await sql`insert into forgotten (hash, receipt_id)
    select distinct unnest(${hashes}::text[]), ${receiptId}::uuid
    on conflict (hash) do update set receipt_id = excluded.receipt_id`.execute(tx)
}

/** Everybody who was forgotten; with a receipt, only who it is about. */
export async function readForgotten(db: Db | Tx, receiptId?: string): Promise<Forgotten> {
  const rows = await db
    .selectFrom('forgotten')
    .select('hash')
    .$if(receiptId !== undefined, (q) => q.where('receipt_id', '=', receiptId ?? ''))
    .execute()
  return { key: await sealingKey(db), hashes: rows.map((row) => row.hash) }
}

async function sealingKey(db: Db | Tx): Promise<Buffer> {
  const row = await db.selectFrom('installation').select('forget_key').executeTakeFirstOrThrow()
  return row.forget_key
}

/** Receipts whose work is not done, oldest first. */
export async function openReceipts(db: Db): Promise<readonly string[]> {
  const rows = await db
    .selectFrom('forget_receipt')
    .select('id')
    .where('finished_at', 'is', null)
    .orderBy('requested_at')
    .orderBy('id')
    .execute()
  return rows.map((row) => row.id)
}

/** @throws when there is no such receipt. */
export async function readReceipt(db: Db | Tx, id: string): Promise<Receipt> {
  const row = await db
    .selectFrom('forget_receipt')
    .selectAll()
    .where('id', '=', id)
    .executeTakeFirstOrThrow()
  const { n } = await db
    .selectFrom('forgotten')
    .select((e) => e.fn.countAll<number>().as('n'))
    .where('receipt_id', '=', id)
    .executeTakeFirstOrThrow()
  return {
    id,
    requestedAt: row.requested_at.toISOString(),
    finishedAt: row.finished_at?.toISOString() ?? null,
    removed: removedSchema.parse(row.removed),
    inCrm: inCrmSchema.parse(row.in_crm),
    hashes: Number(n),
  }
}

/** Adds to what a receipt says; part of the transaction that removes it, so that it is told once. */
export async function tellReceipt(
  tx: Tx,
  id: string,
  more: { readonly removed?: Removed; readonly inCrm?: InCrm },
): Promise<void> {
  const { removed, inCrm } = await readReceipt(tx, id)
  const rows = { ...removed.rows }
  for (const [table, n] of Object.entries(more.removed?.rows ?? {})) {
    rows[table] = (rows[table] ?? 0) + n
  }
  const files = [...removed.files, ...(more.removed?.files ?? [])]
  await tx
    .updateTable('forget_receipt')
    .set({
      removed: JSON.stringify({ rows, files }),
      in_crm: JSON.stringify([...inCrm, ...(more.inCrm ?? [])]),
    })
    .where('id', '=', id)
    .execute()
}

/** Notes that nothing of the person is left. */
export async function finishReceipt(db: Db, id: string, at: Date): Promise<void> {
  await db.updateTable('forget_receipt').set({ finished_at: at }).where('id', '=', id).execute()
}
