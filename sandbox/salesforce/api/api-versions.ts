import { notFound } from '../salesforce-error.ts'

/** API versions that the org offers: the oldest that Salesforce still serves, and the newest. */
export interface VersionRange {
  readonly oldest: number
  readonly newest: number
}

const SPRING_24 = 60
const SEASONS = ['Spring', 'Summer', 'Winter'] as const

/** What `GET /services/data/` lists. */
export function listVersions({ oldest, newest }: VersionRange): unknown[] {
  return Array.from({ length: newest - oldest + 1 }, (_, place) => {
    const version = oldest + place
    return {
      label: labelOf(version),
      url: `/services/data/v${version}.0`,
      version: `${version}.0`,
    }
  })
}

/** `67.0` of a path's `v67.0`. @throws {SalesforceError} for one that the org does not offer. */
export function readVersion(segment: string, { oldest, newest }: VersionRange): string {
  const version = /^v(\d+)\.0$/.exec(segment)?.[1]
  const number = Number(version)
  if (version === undefined || number < oldest || number > newest) throw notFound()
  return `${version}.0`
}

function labelOf(version: number): string {
  const season = SEASONS[(((version - SPRING_24) % 3) + 3) % 3] ?? 'Spring'
  const year = 24 + Math.floor((version - SPRING_24) / 3) + (season === 'Winter' ? 1 : 0)
  return `${season} '${String(year).padStart(2, '0')}`
}
