import { z } from 'zod'
import { RetryableError } from '../../../src/core/errors.ts'
import { rawRead } from './property-definitions.ts'
import { type Session, sendOrThrow } from './session.ts'

const PATH = '/account-info/v3/details'
const detailsShape = z.object({ portalId: z.union([z.string(), z.number()]).transform(String) })

/** The id of the portal. */
export async function readAccountId(session: Session, signal: AbortSignal): Promise<string> {
  const call = rawRead(session, PATH)
  const details = detailsShape.safeParse(await sendOrThrow(session, call, signal))
  if (details.success) return details.data.portalId
  throw new RetryableError(`HubSpot's answer to ${call.endpoint} could not be read.`)
}
