import { readdir, readFile } from 'node:fs/promises'
import type { Pool } from 'pg'

const FOLDER = new URL('./migrations/', import.meta.url)

/**
 * Brings the schema up to date: each numbered file once, in its own transaction. The ledger row is
 * inserted first, so that of two processes one waits and then finds the work done.
 * @returns the names of the migrations that this call ran.
 */
export async function migrate(pool: Pool): Promise<readonly string[]> {
  const names = (await readdir(FOLDER)).filter((name) => name.endsWith('.sql')).sort()
  await createLedger(pool)
  const ran: string[] = []
  for (const name of names) {
    const sql = await readFile(new URL(name, FOLDER), 'utf8')
    if (await runOnce(pool, name, sql)) ran.push(name)
  }
  return ran
}

async function createLedger(pool: Pool): Promise<void> {
  const known = await pool.query("select to_regclass('ripen_migration') is not null as known")
  if (known.rows[0]?.known === true) return
  const client = await pool.connect()
  try {
    // `if not exists` alone can still collide with a racer inside the catalogue.
    await client.query('begin')
    await client.query("select pg_advisory_xact_lock(hashtext('ripen_migration'))")
    await client.query(
      'create table if not exists ripen_migration (name text primary key, ran_at timestamptz not null default now())',
    )
    await client.query('commit')
  } finally {
    client.release()
  }
}

async function runOnce(pool: Pool, name: string, sql: string): Promise<boolean> {
  const client = await pool.connect()
  try {
    await client.query('begin')
    const ledger = await client.query(
      'insert into ripen_migration (name) values ($1) on conflict do nothing',
      [name],
    )
    if (ledger.rowCount === 1) await client.query(sql)
    await client.query('commit')
    return ledger.rowCount === 1
  } catch (error) {
    await client.query('rollback')
    throw error
  } finally {
    client.release()
  }
}
