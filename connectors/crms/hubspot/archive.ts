import type { CrmObject } from '../../../src/core/ports/crm.ts'
import { OBJECT_PATHS } from './hubspot-apis.ts'
import { MAX_BATCH } from './records.ts'
import { describeRefusal } from './refusal.ts'
import { chunks, type Session } from './session.ts'

/**
 * Puts records into HubSpot's recycle bin, where they stay for 90 days. An id that is not there is no
 * error, and doing it twice changes nothing, so a doubtful call is made again.
 */
export async function archiveRecords(
  session: Session,
  object: CrmObject,
  crmIds: readonly string[],
  signal: AbortSignal,
): Promise<(string | null)[]> {
  const path = OBJECT_PATHS[object]
  const reasons = new Map<string, string>()
  const queue = chunks([...new Set(crmIds)], MAX_BATCH)
  for (let batch = queue.shift(); batch !== undefined; batch = queue.shift()) {
    const inputs = batch.map((id) => ({ id }))
    const result = await session.send(
      {
        kind: 'write',
        idempotent: true,
        endpoint: `POST ${path}/batch/archive`,
        invoke: (options) => session.apis.records.archive(path, { inputs }, options),
      },
      signal,
    )
    if (result.ok) continue
    if (result.failure.kind === 'failed') throw result.failure.error
    const [only, ...others] = batch
    if (only !== undefined && others.length === 0) {
      reasons.set(only, describeRefusal(result.failure.refusal, []))
    } else {
      queue.unshift(...chunks(batch, Math.ceil(batch.length / 2)))
    }
  }
  return crmIds.map((id) => reasons.get(id) ?? null)
}
