import { z } from 'zod'
import { RetryableError } from '../../../src/core/errors.ts'
import { describeRefusal, type Refusal, refusalOfError } from './refusal.ts'
import { chunks, type Session } from './session.ts'
import { parseListing } from './wire-shapes.ts'

const ENDPOINT = 'POST associations/contacts/companies/batch/associate/default'
/** HubSpot tells a limit for labelled associations only (2,000): stay with that of the records. */
const MAX_PAIRS = 100

export interface ContactCompanyPair {
  readonly contactId: string
  readonly companyId: string
}

const end = z.object({ id: z.union([z.string(), z.number()]).transform(String) })
const associationShape = z.object({ from: end, to: end })

/** The refusals of a call, and the pairs that it left open. */
interface Associated {
  readonly open: readonly ContactCompanyPair[]
  readonly refusal: Refusal | null
}

/**
 * Puts each contact under its company, as HubSpot's default association.
 * Doing it twice changes nothing, so a doubtful call is made again.
 */
export async function associatePairs(
  session: Session,
  pairs: readonly ContactCompanyPair[],
  signal: AbortSignal,
): Promise<(string | null)[]> {
  const reasons = new Map<string, string>()
  const distinct = [...new Map(pairs.map((pair) => [nameOf(pair), pair])).values()]
  const queue = chunks(distinct, MAX_PAIRS)
  for (let batch = queue.shift(); batch !== undefined; batch = queue.shift()) {
    const { open, refusal } = await associateBatch(session, batch, signal)
    const [only, ...others] = open
    if (only === undefined) continue
    if (refusal === null) throw new RetryableError(`HubSpot's answer to ${ENDPOINT} is incomplete.`)
    if (others.length === 0 && batch.length === 1) {
      reasons.set(nameOf(only), describeRefusal(refusal, []))
    } else {
      queue.unshift(...chunks(open, Math.ceil(open.length / 2)))
    }
  }
  return pairs.map((pair) => reasons.get(nameOf(pair)) ?? null)
}

async function associateBatch(
  session: Session,
  batch: readonly ContactCompanyPair[],
  signal: AbortSignal,
): Promise<Associated> {
  const inputs = batch.map((pair) => ({
    _from: { id: pair.contactId },
    to: { id: pair.companyId },
  }))
  const { associations } = session.apis
  const result = await session.send(
    {
      kind: 'write',
      idempotent: true,
      endpoint: ENDPOINT,
      invoke: (options) => associations.createDefault('contacts', 'companies', { inputs }, options),
    },
    signal,
  )
  if (!result.ok) {
    if (result.failure.kind === 'failed') throw result.failure.error
    return { open: batch, refusal: result.failure.refusal }
  }
  const parse = (item: unknown) => associationShape.safeParse(item).data ?? null
  const listing = parseListing(result.answer.body, parse)
  const done = new Set(
    listing?.results.map(({ from, to }) => nameOf({ contactId: from.id, companyId: to.id })),
  )
  const error = listing?.errors[0]
  // A record that was merged is answered by the id that it has now: then the number of answers tells.
  if (!error && listing?.results.length === batch.length) return { open: [], refusal: null }
  return {
    open: batch.filter((pair) => !done.has(nameOf(pair))),
    refusal: error ? refusalOfError(error, result.answer.status, null) : null,
  }
}

function nameOf(pair: ContactCompanyPair): string {
  return `${pair.contactId}:${pair.companyId}`
}
