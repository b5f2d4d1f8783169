import { z } from 'zod'
import type { Allowance, Finding } from '../../../src/core/ports/crm-check.ts'
import { rawRead } from './property-definitions.ts'
import type { Session } from './session.ts'

const usageShape = z.object({
  results: z.array(
    z.object({ usageLimit: z.number(), currentUsage: z.number(), resetsAt: z.string().nullish() }),
  ),
})

const TEN_SECONDS = 'calls in ten seconds'
const DAY = 'calls in a day'

/** Of the daily calls, so many should be left before a sync. */
const LOW_SHARE = 0.1

/** The limits that HubSpot publishes for each tier; it tells the tier itself nowhere. */
const TIERS: readonly {
  readonly name: string
  readonly burst: number
  readonly day: number | null
}[] = [
  { name: 'Free or Starter', burst: 100, day: 250_000 },
  { name: 'Professional', burst: 190, day: 625_000 },
  { name: 'Professional', burst: 190, day: 650_000 },
  { name: 'Enterprise', burst: 190, day: 1_000_000 },
  { name: 'a marketplace app (the tier of the account does not show)', burst: 110, day: null },
  { name: 'Professional or Enterprise with more API calls', burst: 250, day: null },
]

type Headers = Readonly<Record<string, string>>

/** How many calls are allowed and left. With OAuth HubSpot tells no daily limit. */
export async function callAllowances(
  session: Session,
  headers: Headers,
  signal: AbortSignal,
): Promise<Allowance[]> {
  const limit = numberIn(headers, 'x-hubspot-ratelimit-max')
  const left = numberIn(headers, 'x-hubspot-ratelimit-remaining')
  const used = limit === null || left === null ? null : limit - left
  const burst = { name: TEN_SECONDS, limit, used, resetsAt: null }
  return [burst, (await readUsage(session, signal)) ?? usageIn(headers)]
}

async function readUsage(session: Session, signal: AbortSignal): Promise<Allowance | null> {
  const path = '/account-info/v3/api-usage/daily/private-apps'
  const result = await session.send(rawRead(session, path), signal)
  const usage = result.ok ? usageShape.safeParse(result.answer.body).data?.results[0] : undefined
  if (!usage) return null
  const { usageLimit, currentUsage, resetsAt = null } = usage
  return { name: DAY, limit: usageLimit, used: currentUsage, resetsAt }
}

function usageIn(headers: Headers): Allowance {
  const limit = numberIn(headers, 'x-hubspot-ratelimit-daily')
  const left = numberIn(headers, 'x-hubspot-ratelimit-daily-remaining')
  return {
    name: DAY,
    limit,
    used: limit === null || left === null ? null : limit - left,
    resetsAt: null,
  }
}

function numberIn(headers: Headers, name: string): number | null {
  const value = headers[name]
  const number = Number(value)
  return value === undefined || value.trim() === '' || !Number.isFinite(number) ? null : number
}

/** What the limits say: the tier that they belong to, and whether the day's calls are nearly used up. */
export function limitFindings(allowances: readonly Allowance[]): Finding[] {
  const burst = allowances.find(({ name }) => name === TEN_SECONDS)?.limit ?? null
  const day = allowances.find(({ name }) => name === DAY)
  return [tierFinding(burst, day?.limit ?? null), ...lowFinding(day)]
}

function tierFinding(burst: number | null, day: number | null): Finding {
  const fits = TIERS.filter(
    (tier) => tier.burst === burst && (tier.day === null || day === null || tier.day === day),
  )
  const names = [...new Set(fits.map(({ name }) => name))]
  const limits = `${burst ?? 'unknown'} calls in ten seconds, ${day ?? 'unknown'} a day`
  const tier = names.length === 0 ? 'of no tier that is known' : `those of ${names.join(' or ')}`
  return { level: 'ok', about: 'tier', what: `the limits (${limits}) are ${tier}`, mend: null }
}

function lowFinding(day: Allowance | undefined): Finding[] {
  if (!day || day.limit === null || day.used === null) return []
  const left = day.limit - day.used
  if (left > day.limit * LOW_SHARE) return []
  const when =
    day.resetsAt === null ? "at midnight in the account's time zone" : `at ${day.resetsAt}`
  return [
    {
      level: 'warning',
      about: 'limits',
      what: `${left} of ${day.limit} calls are left today; they come back ${when}`,
      mend: 'see which other apps of the account use them, or buy more',
    },
  ]
}
