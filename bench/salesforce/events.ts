import type { IngestJob } from '../../sandbox/salesforce/bulk/ingest-job.ts'
import type { SalesforceSandbox } from '../../sandbox/salesforce/salesforce-sandbox.ts'
import { accountOf, isPoison, type Size } from './population.ts'
import type { Seeded } from './seed-org.ts'

/** What happens in the org while jobs are under way. */
export interface OrgEvents {
  /** Another sync begins: some leads are converted during its first job of leads. */
  begin(): void
  /** Resolves once a job of leads was stopped in its middle. */
  holdNext(): Promise<void>
  /** Leads that people have converted so far, by place in the population: the contact of each. */
  readonly converted: ReadonlyMap<number, string>
}

const LOOK_EVERY_MS = 20
/** One lead in so many is converted in each sync. */
const CONVERTED_ONE_IN = 400

/** Converts leads and ends all tokens when a job of leads is let go, and stops one when that is asked for. */
export function watchJobs(org: SalesforceSandbox, size: Size, seeded: Seeded): OrgEvents {
  const converted = new Map<number, string>()
  let isDue = false
  let held: (() => void) | null = null
  const leads = [...seeded.people].filter(([i, id]) => canConvert(i, id, size, seeded))
  const most = Math.ceil(seeded.owners.size / CONVERTED_ONE_IN)
  const convert = () => {
    for (const [i, leadId] of leads.splice(0, most)) {
      const accountId = seeded.accounts.get(accountOf(i, size)) ?? ''
      converted.set(i, org.people.convertLead(leadId, { accountId }).contactId)
    }
  }
  const look = () => {
    const job = org.bulk.list().findLast(({ object }) => object === 'Lead')
    if (!job) return
    if (isDue && job.state === 'UploadComplete') {
      isDue = false
      convert()
      org.access.expireAccessTokens()
    }
    if (held && isHalfDone(job)) {
      org.bulk.hold()
      held()
      held = null
    }
  }
  setInterval(look, LOOK_EVERY_MS).unref()
  return {
    converted,
    begin: () => {
      isDue = true
    },
    holdNext: () =>
      new Promise((resolve) => {
        held = resolve
      }),
  }
}

/** Of accounts that were there, so that a person finds the account to convert into. */
function canConvert(i: number, id: string, size: Size, { owners, accounts }: Seeded): boolean {
  return owners.has(id) && !isPoison(i) && accounts.has(accountOf(i, size))
}

function isHalfDone({ state, outcomes, unprocessed }: IngestJob): boolean {
  return state === 'InProgress' && outcomes.length > 0 && unprocessed.length > 0
}
