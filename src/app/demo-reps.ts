import type { HubspotSandbox } from '../../sandbox/hubspot/hubspot-sandbox.ts'
import type { DemoClock } from './demo-clock.ts'

const HOUR_MS = 3_600_000
/** When in the day reps do what they do, in hours after the look. */
const AFTERNOON = 14
const DEAL = { dealname: 'Team plan', amount: '24000' }

/** What a rep did in the stand-in, as a person reads it. */
export interface RepAct {
  readonly at: string
  readonly domain: string
  readonly did: string
}

/** Reps who answer to their tasks in the stand-in, by hand. */
export interface Reps {
  readonly acts: readonly RepAct[]
  /** What they do on the day of this look. */
  act(look: Date): void
}

/** Whose first task is answered with no, and whose second one leads to a deal that is won. */
export interface AnswerDomains {
  readonly rejected: string
  readonly won: string
}

/** How many looks a deal stays open. */
const OPEN_LOOKS = 4

export function createReps(
  hubspot: HubspotSandbox,
  clock: DemoClock,
  { rejected, won }: AnswerDomains,
): Reps {
  const acts: RepAct[] = []
  let deal: { readonly id: string; readonly looks: number } | null = null
  const note = (at: Date, domain: string, did: string) =>
    acts.push({ at: at.toISOString(), domain, did })
  const rejectFirst = (at: Date) => {
    if (acts.some(({ domain }) => domain === rejected)) return
    const company = companyOf(hubspot, rejected)
    if (company === null || tasksOf(hubspot, company) === 0) return
    hubspot.people.edit('companies', company, {
      pqa_disposition: 'rejected',
      pqa_rejection_reason: 'bad-timing',
    })
    note(at, rejected, 'answers in HubSpot: not a fit, bad timing')
  }
  const winSecond = (at: Date) => {
    const company = companyOf(hubspot, won)
    if (company === null) return
    if (deal === null) {
      if (tasksOf(hubspot, company) < 2) return
      deal = { id: hubspot.people.openDeal({ companies: [company] }, DEAL), looks: 0 }
      note(at, won, `opens the deal ${DEAL.dealname} over ${DEAL.amount}`)
      return
    }
    deal = { ...deal, looks: deal.looks + 1 }
    if (deal.looks !== OPEN_LOOKS) return
    hubspot.people.closeDeal(deal.id, 'won')
    note(at, won, `closes the deal ${DEAL.dealname} as won`)
  }
  return {
    acts,
    act(look) {
      const at = new Date(look.getTime() + AFTERNOON * HOUR_MS)
      clock.set(at)
      rejectFirst(at)
      winSecond(at)
    },
  }
}

function companyOf(hubspot: HubspotSandbox, domain: string): string | null {
  const found = hubspot
    .records('companies')
    .find(({ properties, archived }) => !archived && properties['domain'] === domain)
  return found?.id ?? null
}

function tasksOf(hubspot: HubspotSandbox, company: string): number {
  return hubspot
    .associations()
    .filter(({ from, to }) => from.type === 'tasks' && to.type === 'companies' && to.id === company)
    .length
}
