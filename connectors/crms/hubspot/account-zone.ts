import { z } from 'zod'

export interface AccountZoneOptions {
  readonly baseUrl: string
  readonly accessToken: string
  readonly timeoutMs: number
  /** A dated version of the API such as `2026-03`; absent = the numbered path. */
  readonly apiVersion?: string
}

const detailsShape = z.object({ timeZone: z.string().min(1) })

/**
 * The time zone in whose midnight the account's daily quota is renewed, by its IANA name. Asked for once
 * and outside of all pacing, when the quota nears its end; null when HubSpot does not say.
 */
export async function readAccountZone(options: AccountZoneOptions): Promise<string | null> {
  const { baseUrl, accessToken, timeoutMs, apiVersion = 'v3' } = options
  const url = `${baseUrl.replace(/\/+$/, '')}/account-info/${apiVersion}/details`
  try {
    const response = await fetch(url, {
      headers: { authorization: `Bearer ${accessToken}` },
      signal: AbortSignal.timeout(timeoutMs),
    })
    const body: unknown = await response.json()
    if (!response.ok) return null
    const zone = detailsShape.safeParse(body).data?.timeZone
    return zone && isKnown(zone) ? zone : null
  } catch {
    return null
  }
}

function isKnown(zone: string): boolean {
  try {
    new Intl.DateTimeFormat('en', { timeZone: zone })
    return true
  } catch {
    return false
  }
}
