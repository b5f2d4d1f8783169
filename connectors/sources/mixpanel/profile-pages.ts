import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { z } from 'zod'
import { ConfigError, RetryableError } from '../../../src/core/errors.ts'
import type { ProfileCursor, ProfilePage } from '../../../src/core/ports/usage-source.ts'
import { IDLE_MS, type MixpanelOptions } from './options.ts'
import type { ProfileLine } from './profiles-sql.ts'
import { callMixpanel, readAnswer } from './transport.ts'

/** The set that holds people; every other one is a group key. */
export const PEOPLE = 'people'

const answerSchema = z.object({
  page: z.number().int().min(0),
  page_size: z.number().int().min(1),
  session_id: z.string().min(1),
  total: z.number().int().min(0),
  results: z.array(
    z.object({
      $distinct_id: z.union([z.string(), z.number()]).transform(String),
      $properties: z.record(z.string(), z.unknown()).default({}),
    }),
  ),
})

/** The window of one page: `profiles/00000`, or `groups/company/00000`. */
export function profileWindow(set: string, page: number): string {
  const number = String(page).padStart(5, '0')
  return set === PEOPLE ? `profiles/${number}` : `groups/${set}/${number}`
}

/**
 * Fetches one page of profiles (Mixpanel, Query API, `engage`) and lays it out as lines.
 * @returns null when Mixpanel does not know the session of the cursor any more.
 */
export async function profilePage(
  options: MixpanelOptions,
  set: string,
  cursor: ProfileCursor | null,
  dir: string,
  at: Date,
  signal: AbortSignal,
): Promise<ProfilePage | null> {
  const text = await askForPage(options, set, cursor, signal)
  if (text === null) return null
  const parsed = answerSchema.safeParse(parseJson(text))
  if (!parsed.success) {
    throw new RetryableError(
      'Mixpanel answered for profiles with something that is no page of them',
    )
  }
  const { page, page_size, session_id, total, results } = parsed.data
  const windowKey = profileWindow(set, page)
  const lines = results.map(
    ({ $distinct_id, $properties }): ProfileLine => ({
      window: windowKey,
      fetched_at: at.toISOString(),
      group: set === PEOPLE ? null : set,
      id: $distinct_id,
      properties: $properties,
    }),
  )
  const path = join(dir, `${windowKey.replaceAll(/[^\w-]/g, '_')}.profiles.jsonl`)
  await writeFile(path, lines.map((line) => `${JSON.stringify(line)}\n`).join(''))
  const ended = results.length < page_size || (page + 1) * page_size >= total
  return {
    windowKey,
    batch: [{ path, windowKey, form: 'profiles' }],
    total,
    next: ended ? null : { session: session_id, page: page + 1 },
  }
}

async function askForPage(
  options: MixpanelOptions,
  set: string,
  cursor: ProfileCursor | null,
  signal: AbortSignal,
): Promise<string | null> {
  await options.pace?.(signal)
  const url = new URL('/api/query/engage', options.queryUrl)
  url.searchParams.set('project_id', options.projectId)
  const form = new URLSearchParams()
  const group = options.groups?.[set]
  if (group !== undefined) form.set('data_group_id', group)
  if (cursor) {
    form.set('session_id', cursor.session)
    form.set('page', String(cursor.page))
  }
  const { idleMs = IDLE_MS, serviceAccount, secret } = options
  const urlVariables = 'MIXPANEL_REGION or MIXPANEL_QUERY_BASE_URL'
  const call = { url, form, serviceAccount, secret, urlVariables, idleMs, signal }
  const answer = await callMixpanel(call).catch((error: unknown) => {
    if (!(error instanceof ConfigError)) throw error
    throw new ConfigError(`${error.message}. MIXPANEL_PROFILES_HOURS=0 leaves profiles out`, {
      cause: error,
    })
  })
  if (answer.kind === 'body') return readAnswer(answer.body)
  if (cursor) return null
  throw new ConfigError(
    `Mixpanel refuses to list the profiles of ${set}: ${answer.detail}; check MIXPANEL_PROJECT_ID and MIXPANEL_GROUPS`,
  )
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return null
  }
}
