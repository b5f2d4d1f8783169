import { isAbsolute, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { Progress } from '../../../jobs/context.ts'
import { ConfigError } from '../../core/errors.ts'
import { type MappingSet, parseMappingSet } from '../../core/mapping/mapping-set.ts'
import { type Config, readConfig } from '../../infra/config.ts'
import { readMappingFolder } from '../../infra/mappings/folder.ts'
import { mappingHash, publishedFolder, publishMapping } from '../../infra/mappings/published.ts'
import { type App, compose } from '../compose.ts'
import { whoRuns } from './who.ts'

/** Options that every command has. */
export interface CommonOptions {
  readonly json?: boolean
  readonly mappings?: string
}

export interface AppOptions extends CommonOptions {
  readonly config?: Config
  readonly clock?: () => Date
  readonly onProgress?: (progress: Progress) => void
  /** Publish the mapping folder first; commands that only look do not. */
  readonly publish?: boolean
  /** False for commands that stop by themselves on SIGINT and SIGTERM. */
  readonly ownsSignals?: boolean
  readonly logLevel?: 'info' | 'error'
}

/** Where the mappings that come with Ripen lie. */
export const OWN_MAPPINGS = fileURLToPath(new URL('../../../mappings', import.meta.url))

/** Builds everything, runs one command and takes everything down again, whatever happens. */
export async function withApp<T>(options: AppOptions, run: (app: App) => Promise<T>): Promise<T> {
  const app = await compose({
    config: options.config ?? readConfig(),
    onNotice: (message) => process.stderr.write(`${message}\n`),
    ...(options.logLevel ? { logLevel: options.logLevel } : {}),
    ...(options.clock ? { clock: options.clock } : {}),
    ...(options.onProgress ? { onProgress: options.onProgress } : {}),
  })
  let closing: Promise<void> | null = null
  const close = () => {
    closing ??= app.close()
    return closing
  }
  const interrupted = () => {
    close().then(
      () => process.exit(130),
      () => process.exit(130),
    )
  }
  if (options.ownsSignals !== false) {
    process.once('SIGINT', interrupted)
    process.once('SIGTERM', interrupted)
  }
  try {
    if (options.publish !== false) await publish(app, options.mappings)
    return await run(app)
  } finally {
    process.off('SIGINT', interrupted)
    process.off('SIGTERM', interrupted)
    await close()
  }
}

/**
 * Publishes the mapping folder: the one that was named, else RIPEN_MAPPINGS_DIR, else the one that was
 * published last, else ours.
 */
async function publish(app: App, named: string | undefined): Promise<void> {
  const { absolute, files } = await readFolder(app, named)
  try {
    const { hash } = await publishMapping(app.context.db, absolute, files, { by: whoRuns() })
    if (hash !== mappingHash(files)) tellUndone(absolute)
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error
    throw new ConfigError(
      `the mappings in ${absolute} are wrong, nothing was published:\n${error.message}`,
    )
  }
}

function tellUndone(folder: string): void {
  process.stderr.write(
    `the mappings in ${folder} were undone by ripen rollback and are not published; ripen apply publishes them again\n`,
  )
}

/** The files of the mapping folder that a command goes by, and where it lies. */
export async function readFolder(app: App, named: string | undefined) {
  const given = named ?? app.config.RIPEN_MAPPINGS_DIR
  return readFilesOf(given ?? (await publishedFolder(app.context.db)) ?? OWN_MAPPINGS)
}

/** The same of a folder that is known; needs no database. */
export async function readFilesOf(folder: string) {
  const absolute = isAbsolute(folder) ? folder : resolve(folder)
  return { absolute, files: await readMappingFolder(absolute) }
}

/**
 * The mapping that the next command would publish; for commands that look at it and publish nothing.
 * @throws {ConfigError} when a file is wrong.
 */
export async function readMappings(app: App, named: string | undefined): Promise<MappingSet> {
  return parseMappingSet((await readFolder(app, named)).files)
}

/** Prints the one object that `--json` promises. */
export function printJson(value: unknown): void {
  process.stdout.write(`${JSON.stringify(value, null, 2)}\n`)
}

export function print(text: string): void {
  process.stdout.write(`${text}\n`)
}
