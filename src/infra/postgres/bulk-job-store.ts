import type { BulkJobs } from '../../core/ports/bulk-jobs.ts'
import type { Db } from './database.ts'

/** The jobs of one CRM, kept until they are over. */
export function createBulkJobs(db: Db, crm: string): BulkJobs {
  return {
    async begun({ id, object, records }) {
      await db
        .insertInto('crm_bulk_job')
        .values({ crm, job_id: id, object, records })
        .onConflict((conflict) => conflict.doNothing())
        .execute()
    },
    async over(id) {
      await db.deleteFrom('crm_bulk_job').where('crm', '=', crm).where('job_id', '=', id).execute()
    },
    async open() {
      const rows = await db
        .selectFrom('crm_bulk_job')
        .select(['job_id', 'object', 'records'])
        .where('crm', '=', crm)
        .orderBy('begun_at')
        .orderBy('job_id')
        .execute()
      return rows.map(({ job_id, object, records }) => ({ id: job_id, object, records }))
    },
  }
}
