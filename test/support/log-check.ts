import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { ALL_SECRETS } from './log-secrets.ts'

/** Something in a log that must be in none. */
export interface LogLeak {
  readonly what: 'an e-mail address' | 'a secret' | 'a body'
  readonly line: string
}

const ADDRESS = /[a-z0-9._%+-]+(?:@|%40)[a-z0-9-]+(?:\.[a-z0-9-]+)*\.[a-z]{2,}/i
/** Names that only what goes over the wire has. */
const BODY = /\\?"(?:propertyValue|subscriptionType|filterGroups|hs_task_body|event_properties)\\?"/

/** What the stand-ins are let in with, and what they hand out, whoever has set them up. */
const TOKEN = /\bsandbox-(?:secret|token)\b|\bna1-(?:access|refresh|code)-[0-9a-f]+/

/** What may be in no line of a log: every address of the fixtures, every secret, and bodies. */
export function findLeaks(log: string, secrets: readonly string[] = ALL_SECRETS): LogLeak[] {
  return log.split('\n').flatMap((line): LogLeak[] => {
    const isSecret = TOKEN.test(line) || secrets.some((secret) => line.includes(secret))
    if (isSecret) return [{ what: 'a secret', line }]
    if (ADDRESS.test(line)) return [{ what: 'an e-mail address', line }]
    return BODY.test(line) ? [{ what: 'a body', line }] : []
  })
}

/**
 * Looks through the logs of a run.
 * @throws when a line holds what no log may hold; the run fails with it.
 */
export async function checkLogs(folder: string): Promise<void> {
  const names = await readdir(folder).catch(() => [])
  const leaks: LogLeak[] = []
  for (const name of names) leaks.push(...findLeaks(await readFile(join(folder, name), 'utf8')))
  if (leaks.length === 0) return
  const told = leaks.slice(0, 10).map(({ what, line }) => `${what}: ${line.slice(0, 500)}`)
  throw new Error(`${leaks.length} lines of the logs hold what none may:\n${told.join('\n')}`)
}
