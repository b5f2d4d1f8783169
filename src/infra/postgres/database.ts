import { Kysely, PostgresDialect, type Transaction } from 'kysely'
import pg from 'pg'
import { ConfigError } from '../../core/errors.ts'
import { migrate } from './migrate.ts'
import type { Tables } from './tables.ts'

export type Db = Kysely<Tables>
export type Tx = Transaction<Tables>

export interface Database {
  readonly db: Db
  readonly pool: pg.Pool
  close(): Promise<void>
}

const OID = { int8: 20, date: 1082, dateArray: 1182 } as const

/** `date` and `date[]` stay text (`YYYY-MM-DD`), `bigint` becomes a number. */
const types: pg.CustomTypesConfig = {
  getTypeParser(oid: number, format?: 'text' | 'binary') {
    if (oid === OID.int8) return Number
    if (oid === OID.date) return (text: string) => text
    if (oid === OID.dateArray) {
      return (text: string) => text.slice(1, -1).split(',').filter(Boolean)
    }
    return pg.types.getTypeParser(oid, format as 'text')
  },
}

/**
 * Our statements are many and short, and lists of ids are worse to estimate than others: compiling a plan
 * to machine code and starting processes for it costs many times what the statement takes.
 */
const SESSION = 'set jit = off; set max_parallel_workers_per_gather = 0'

/**
 * Connects and brings the schema up to date.
 * @throws {ConfigError} when the server cannot be reached, naming the variable.
 */
export async function openDatabase(url: string, variable = 'DATABASE_URL'): Promise<Database> {
  const pool = new pg.Pool({
    connectionString: url,
    // Every step that is at work holds one for its lock, and asks for others.
    max: 20,
    types,
    application_name: 'ripen',
    onConnect: async (client) => void (await client.query(SESSION)),
  })
  pool.on('error', () => {
    // An idle connection broke; the next query gets a new one.
  })
  try {
    await migrate(pool)
  } catch (cause) {
    await pool.end()
    throw unreachable(cause, variable)
  }
  const db = new Kysely<Tables>({ dialect: new PostgresDialect({ pool }) })
  const close = async () => {
    await db.destroy()
    // Kysely ends the pool only if it ever asked it for a connection.
    if (!pool.ended) await pool.end()
  }
  return { db, pool, close }
}

function unreachable(cause: unknown, variable: string): unknown {
  const code = (cause as { code?: unknown } | null)?.code
  const message = cause instanceof Error && cause.message ? cause.message : String(code ?? cause)
  const connection = [
    'ECONNREFUSED',
    'ENOTFOUND',
    'EHOSTUNREACH',
    'ETIMEDOUT',
    '28P01',
    '28000',
    '3D000',
  ]
  if (typeof code !== 'string' || !connection.includes(code)) return cause
  return new ConfigError(
    `PostgreSQL cannot be reached (${message}); check ${variable}, or leave it out for the embedded server`,
    { cause },
  )
}
