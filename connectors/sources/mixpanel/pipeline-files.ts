import { createReadStream } from 'node:fs'
import { stat } from 'node:fs/promises'
import { Writable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { createGunzip } from 'node:zlib'
import { ConfigError } from '../../../src/core/errors.ts'
import type { DownloadedFile } from '../../../src/core/ports/usage-source.ts'

/** What a file of a JSON pipeline holds. */
export type PipelineForm = 'pipeline-events' | 'pipeline-people' | 'pipeline-links'

export interface PipelineFile extends DownloadedFile {
  readonly form: PipelineForm
  readonly windowKey: string
}

const LAYOUT = /(?:^|[\\/])(mp_master_event|mp_people_data|mp_identity_mappings_data)[\\/](.+)$/
const DAY = /^(\d{4})[\\/](\d{2})[\\/](\d{2})[\\/]/

/** Where people of a pipeline stand: the folder is replaced as a whole by every export. */
const PEOPLE_WINDOW = 'profiles/pipeline'
const LINKS_WINDOW = 'identities/pipeline'

/**
 * The file of a JSON pipeline that a path names (`mp_master_event/YYYY/MM/DD/…` and its siblings), or
 * null. A day's late events lie beside its first ones, so the folder of a day is its window.
 */
export function pipelineFile(path: string): PipelineFile | null {
  const [, folder, rest = ''] = LAYOUT.exec(path) ?? []
  if (folder === undefined || !/\.json(?:\.gz)?$/.test(rest)) return null
  if (folder === 'mp_people_data')
    return { path, form: 'pipeline-people', windowKey: PEOPLE_WINDOW }
  if (folder !== 'mp_master_event') return { path, form: 'pipeline-links', windowKey: LINKS_WINDOW }
  const day = DAY.exec(rest)
  return day ? { path, form: 'pipeline-events', windowKey: day.slice(1).join('-') } : null
}

/** Of people only the newest day counts, where an export is kept in a folder for each day. */
export function newestPeople(files: readonly PipelineFile[]): PipelineFile[] {
  const dayOf = ({ path }: PipelineFile) => DAY.exec(LAYOUT.exec(path)?.[2] ?? '')?.[0] ?? ''
  const people = files.filter((file) => file.form === 'pipeline-people')
  const newest = people.map(dayOf).sort().at(-1)
  return files.filter((file) => file.form !== 'pipeline-people' || dayOf(file) === newest)
}

/**
 * The UTC day of a file, for rows that have no time of their own: the one in its path, else the day on
 * which it was written.
 */
export async function fileDay(path: string): Promise<string> {
  const day = DAY.exec(LAYOUT.exec(path)?.[2] ?? '')
  if (day) return day.slice(1).join('-')
  return (await stat(path)).mtime.toISOString().slice(0, 10)
}

/**
 * Checks that a compressed file is whole; DuckDB takes one that is cut short for what there is of it.
 * @throws {ConfigError} naming the file.
 */
export async function checkGzip(path: string): Promise<void> {
  if (!path.endsWith('.gz')) return
  const nowhere = new Writable({ write: (_chunk, _encoding, done) => done() })
  await pipeline(createReadStream(path), createGunzip(), nowhere).catch((cause: unknown) => {
    throw new ConfigError(`${path} is cut short or damaged; copy it again`, { cause })
  })
}
