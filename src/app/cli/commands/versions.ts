import { ConfigError } from '../../../core/errors.ts'
import { type FileSummary, fileChanges, fileSummaries } from '../../../core/mapping/file-changes.ts'
import { type MappingVersion, readVersion, readVersions } from '../../../infra/mappings/versions.ts'
import type { Db } from '../../../infra/postgres/database.ts'
import { describeChanges, shortChanges } from '../changes-text.ts'
import { paint, paintPatch } from '../paint.ts'
import { table } from '../tables.ts'
import { type CommonOptions, print, printJson, withApp } from '../with-app.ts'

/** Versions that are listed. */
const LISTED = 50

type Listed = Omit<MappingVersion, 'files' | 'hash'> & {
  /** Against the version before. */
  readonly changes: readonly FileSummary[]
}

/** `ripen versions`: lists the versions of the mappings, or tells what differs between two of them. */
export async function versionsCommand(
  from: string | undefined,
  to: string | undefined,
  options: CommonOptions,
): Promise<void> {
  await withApp({ ...options, publish: false }, async ({ context: { db } }) => {
    if (from === undefined) return list(db, options)
    const later = to === undefined ? (await readVersions(db, 1))[0]?.version : versionNumber(to)
    await compare(db, versionNumber(from), later ?? 0, options)
  })
}

/** @throws {ConfigError} when it is no number of a version. */
export function versionNumber(text: string): number {
  if (/^[1-9]\d{0,9}$/.test(text)) return Number(text)
  throw new ConfigError(`${text} is no version; write its number, as ripen versions lists it`)
}

async function list(db: Db, { json }: CommonOptions): Promise<void> {
  const all = await readVersions(db, LISTED + 1)
  const versions = all.slice(0, LISTED).map(({ files, hash: _, ...rest }, index): Listed => {
    return { ...rest, changes: fileSummaries(all[index + 1]?.files ?? {}, files) }
  })
  if (json) return printJson({ versions })
  if (versions.length === 0) return print('nothing is published: ripen apply')
  print(versions.map((one, index) => describe(one, index === 0)).join('\n'))
}

function describe(one: Listed, isLive: boolean): string {
  const { version, publishedAt, by, note, folder, rolledBackTo, changes } = one
  const at = publishedAt.toISOString().slice(0, 16).replace('T', ' ')
  const who = by === null ? '' : ` by ${by}`
  const back = rolledBackTo === null ? '' : `, back to version ${rolledBackTo}`
  const live = isLive ? paint('green', '  ← every worker reads this one') : ''
  const lines = [`${paint('bold', `version ${version}`)}  ${at}${who}${back}${live}`]
  if (note !== null) lines.push(`  “${note}”`)
  lines.push(`  ${folder}: ${shortChanges(changes)}`)
  return lines.join('\n')
}

async function compare(db: Db, from: number, to: number, { json }: CommonOptions): Promise<void> {
  const [before, after] = [await readVersion(db, from), await readVersion(db, to)]
  const changes = fileChanges(before.files, after.files)
  if (json) return printJson({ from, to, changes })
  if (changes.length === 0) return print(`versions ${from} and ${to} have the same files`)
  print(`version ${from} → version ${to}\n${describeChanges(changes)}`)
  for (const { file, patch } of changes) {
    print(`\n${paint('bold', table([[file]]))}\n${paintPatch(patch)}`)
  }
}
