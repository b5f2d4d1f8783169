import { mkdir, readFile, rename, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { z } from 'zod'
import { type SampleCompany, sampleCompany } from '../../sandbox/company/sample-company.ts'
import { type SandboxServer, startSandboxServer } from '../../sandbox/sandbox-server.ts'
import { ConfigError } from '../core/errors.ts'

const DAY_MS = 86_400_000
/** The demo looks at its company on the morning after the last day of use. */
export const DEMO_HOUR_MS = 8 * 3_600_000
export const DEMO_DAYS = 90

/** The last midnight (UTC) before `now`: where the sample company's history ends. */
export function lastMidnight(now: Date): Date {
  return new Date(Math.floor(now.getTime() / DAY_MS) * DAY_MS)
}

/**
 * The sample company of a folder: made once, so that what was pulled before still fits.
 * @param fresh makes a new one that ends at the last midnight.
 */
export async function companyOf(
  dir: string,
  now: Date,
  fresh: boolean,
): Promise<{
  company: SampleCompany
  end: Date
}> {
  const note = join(dir, 'sample-company.json')
  const known = fresh ? null : await readFile(note, 'utf8').catch(() => null)
  const noted = noteSchema.safeParse(known === null ? null : parseJson(known))
  const end = noted.success ? new Date(noted.data.end) : lastMidnight(now)
  await mkdir(dir, { recursive: true })
  if (!noted.success) {
    await writeFile(`${note}.new`, `${JSON.stringify({ end: end.toISOString() })}\n`)
    await rename(`${note}.new`, note)
  }
  return { company: sampleCompany({ end, days: DEMO_DAYS, answers: true }), end }
}

const noteSchema = z.object({ end: z.iso.datetime() })

/** A note that was cut off by a killed process counts as none. */
function parseJson(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return null
  }
}

/**
 * The stand-ins with the sample company in them, HubSpot's records kept in the folder.
 * @throws {ConfigError} when the port or the folder cannot be used.
 */
export async function startDemoSandbox(
  dir: string,
  company: SampleCompany,
  options: { port: number; seed: boolean; salesforce?: boolean; now?: () => number },
): Promise<SandboxServer> {
  const dataDir = join(dir, 'hubspot')
  return startSandboxServer({ ...options, company, dataDir }).catch((cause: unknown) => {
    const why = cause instanceof Error ? cause.message : String(cause)
    throw new ConfigError(
      `the sandbox cannot start (${why}); free the port or the folder, or take others with ripen sandbox --port and --dir`,
      { cause },
    )
  })
}
