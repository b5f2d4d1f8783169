import { takeOpen } from '../../src/infra/postgres/crm-record-store.ts'
import { openDatabase } from '../../src/infra/postgres/database.ts'
import { withLeases } from '../../src/infra/postgres/record-leases.ts'

/** A worker that takes open contacts, tells whom, and never gets on. */
const database = await openDatabase(process.env['DATABASE_URL'] ?? '')
await withLeases(database, 'hubspot', async (holder) => {
  const slice = { after: null, limit: 40, byCompany: false, isHot: false, pass: 0 }
  const rows = await takeOpen(database.db, holder, { object: 'contact', ...slice })
  process.send?.(rows.map(({ ref }) => ref))
  await new Promise((resolve) => process.once('disconnect', resolve))
})
await database.close()
