import pg from 'pg'
import { ConfigError } from '../core/errors.ts'
import { acquireEmbeddedPostgres, type EmbeddedServer } from '../infra/postgres/embedded/acquire.ts'

/**
 * Starts the demo's own PostgreSQL and empties it, so that every demo begins at nothing.
 * @throws {ConfigError} when somebody still works with the demo's data.
 */
export async function resetDemoDatabase(dir: string): Promise<EmbeddedServer> {
  const server = await acquireEmbeddedPostgres({ dataDir: dir })
  const client = new pg.Client({ connectionString: server.url })
  try {
    await client.connect()
    const busy = await client.query(
      "select count(*)::int as n from pg_stat_activity where application_name = 'ripen'",
    )
    if (busy.rows[0]?.n > 0) {
      throw new ConfigError(
        'another process works with the data of the demo (npm start, or a second demo); stop it first, or set RIPEN_DATA_DIR to another folder',
      )
    }
    await client.query(
      'drop schema if exists ripen_queue cascade; drop schema public cascade; create schema public',
    )
    return server
  } catch (error) {
    await server.release()
    throw error
  } finally {
    await client.end()
  }
}
