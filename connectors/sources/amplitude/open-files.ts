import { copyFile, readdir, stat, symlink } from 'node:fs/promises'
import { join } from 'node:path'
import { ConfigError } from '../../../src/core/errors.ts'
import type { DownloadedFile } from '../../../src/core/ports/usage-source.ts'
import { checkGzip } from './check-gzip.ts'
import { stagedPath, windowOf } from './export-names.ts'
import { BrokenZipError, unpackExport } from './export-zip.ts'

const KINDS = '*.zip, or <project>_<day>_<hour>#<part>.json.gz of an S3 or GCS export'

/**
 * Lays out the export files among what a person named: zips of the Export API, files of the S3 and GCS
 * export, or folders that hold some at any depth.
 * @throws {ConfigError} naming the path that cannot be read, is damaged or holds no export.
 */
export async function* openFiles(
  paths: readonly string[],
  dir: string,
): AsyncGenerator<DownloadedFile> {
  const found = (await Promise.all(paths.map(exportsAt))).flat().sort(byWindow)
  // Two partitions of an hour, or two zips that both hold it, must not get one name.
  let counter = 0
  for (const { path, windowKey } of found) {
    if (windowKey === null) yield* unpack(path, dir, () => counter++)
    else yield await lay(path, dir, windowKey, counter++)
  }
}

interface ExportFile {
  readonly path: string
  /** Null for a zip, which holds many. */
  readonly windowKey: string | null
}

/** Hours after each other, so that a window lies in few batches. */
function byWindow(a: ExportFile, b: ExportFile): number {
  const [x, y] = [`${a.windowKey ?? ''}\n${a.path}`, `${b.windowKey ?? ''}\n${b.path}`]
  return x < y ? -1 : x > y ? 1 : 0
}

async function exportsAt(path: string): Promise<ExportFile[]> {
  const unreadable = (cause: unknown): never => {
    throw new ConfigError(`${path} cannot be read; check --files`, { cause })
  }
  const info = await stat(path).catch(unreadable)
  if (!info.isDirectory()) {
    const file = exportFile(path)
    if (file) return [file]
    throw new ConfigError(`${path} cannot be read as an Amplitude export (${KINDS}); check --files`)
  }
  const entries = await readdir(path, { recursive: true, withFileTypes: true }).catch(unreadable)
  const files = entries.filter((entry) => !entry.isDirectory())
  const exports = files.map((entry) => exportFile(join(entry.parentPath, entry.name)))
  const found = exports.filter((file) => file !== null)
  if (found.length > 0) return found
  throw new ConfigError(`no Amplitude export (${KINDS}) in ${path}; check --files`)
}

function exportFile(path: string): ExportFile | null {
  if (path.endsWith('.zip')) return { path, windowKey: null }
  const windowKey = windowOf(path.replaceAll('\\', '/'))
  return windowKey === null ? null : { path, windowKey }
}

async function* unpack(
  zip: string,
  dir: string,
  nextName: () => number,
): AsyncGenerator<DownloadedFile> {
  try {
    yield* unpackExport(zip, dir, nextName)
  } catch (cause) {
    if (!(cause instanceof BrokenZipError)) throw cause
    throw new ConfigError(`${zip} ${cause.message}; export it again`, { cause })
  }
}

/** The file stays where it is; it is read under a name that tells its window. */
async function lay(
  path: string,
  dir: string,
  windowKey: string,
  counter: number,
): Promise<DownloadedFile> {
  await checkGzip(path).catch((cause: unknown) => {
    throw new ConfigError(`${path} is damaged or cut short; export it again`, { cause })
  })
  const target = stagedPath(dir, windowKey, counter)
  // Not every system lets everybody make links.
  await symlink(path, target).catch(() => copyFile(path, target))
  return { path: target, windowKey }
}
