import pg from 'pg'
import { acquireEmbeddedPostgres } from '../../src/infra/postgres/embedded/acquire.ts'

/*
 * A process that uses the embedded server, for tests: `embedded-child.ts <dataDir> [label]`.
 * It inserts a row, reports a line of JSON, stays until its input ends, and leaves. It never calls
 * process.exit: that it ends shows that nothing was left open.
 */
const [dataDir = '', label = String(process.pid)] = process.argv.slice(2)
const report = (line: object) => process.stdout.write(`${JSON.stringify(line)}\n`)

const startedAt = performance.now()
const server = await acquireEmbeddedPostgres({
  dataDir,
  onNotice: (notice) => report({ event: 'notice', notice }),
})
const ms = Math.round(performance.now() - startedAt)

const client = new pg.Client({ connectionString: server.url })
client.on('error', (error) => report({ event: 'lost', message: error.message }))
await client.connect()
await client.query('select pg_advisory_lock(1)')
await client.query('create table if not exists visit (label text primary key)')
await client.query('insert into visit values ($1)', [label])
const { rows } = await client.query(`select array_agg(label order by label) as labels from visit`)
await client.end()
report({ event: 'ready', url: server.url, ms, labels: rows[0]?.labels })

process.stdin.resume()
await new Promise((resolve) => process.stdin.once('end', resolve))
const leavingAt = performance.now()
await server.release()
report({ event: 'released', ms: Math.round(performance.now() - leavingAt) })
