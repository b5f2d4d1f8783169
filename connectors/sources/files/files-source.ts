import { readdir, stat } from 'node:fs/promises'
import { basename, join } from 'node:path'
import { ConfigError } from '../../../src/core/errors.ts'
import type { SourceMapping } from '../../../src/core/mapping/source-mapping.ts'
import type {
  DownloadedFile,
  FileBatch,
  UsageSource,
} from '../../../src/core/ports/usage-source.ts'
import { csvHeader } from './csv-header.ts'
import { eventsSql, problemsSql } from './events-sql.ts'
import type { Layout } from './rows-sql.ts'

/** Files of one shape that are read together, if they are not compressed. */
const BATCH_BYTES = 80_000_000
/** What a compressed file is taken for. */
const UNPACKED = 8

/** Files of events that a customer writes, with columns that the mapping declares. */
export function createFilesSource(name: string, mapping: SourceMapping): UsageSource {
  const layouts = new Map<string, Layout>()
  const layoutOf = ([first]: FileBatch): Layout => {
    const layout = first && layouts.get(first.path)
    if (!layout) throw new Error('files must be opened before they are read')
    return layout
  }
  const pathsOf = (files: FileBatch) => files.map((file) => file.path)
  return {
    name,
    maxWindowsPerDownload: 1,
    windows: () => [],
    async *download() {
      // Nothing is ever due: files are brought by a person.
    },
    open: (paths) => open(name, mapping, paths, layouts),
    eventsSql: (files) => eventsSql(name, mapping, layoutOf(files), pathsOf(files)),
    problemsSql: (files) => problemsSql(mapping, layoutOf(files), pathsOf(files)),
  }
}

/** Yields files of one shape together, and notes their layout. */
async function* open(
  name: string,
  mapping: SourceMapping,
  paths: readonly string[],
  layouts: Map<string, Layout>,
): AsyncGenerator<FileBatch> {
  let batch: DownloadedFile[] = []
  let [shape, size] = ['', 0]
  for (const path of await filesAt(mapping, paths)) {
    const layout = await layoutAt(name, mapping, path)
    const { size: bytes } = await stat(path)
    const next = layout.header.join('\n')
    if (batch.length > 0 && (next !== shape || size >= BATCH_BYTES)) {
      yield batch
      batch = []
      size = 0
    }
    layouts.set(path, layout)
    shape = next
    size += path.endsWith('.gz') ? bytes * UNPACKED : bytes
    const windowKey = mapping.replace === 'file' ? basename(path).replace(/\.gz$/, '') : null
    batch.push({ path, windowKey })
  }
  if (batch.length > 0) yield batch
}

/**
 * How a file is laid out.
 * @throws {ConfigError} when it lacks a column that the mapping names.
 */
async function layoutAt(name: string, mapping: SourceMapping, path: string): Promise<Layout> {
  const { format, delimiter } = mapping
  if (format === 'jsonl') return { format, delimiter, header: [] }
  const header = await csvHeader(path, delimiter)
  const missing = [...new Set(columnsOf(mapping))].filter((column) => !header.includes(column))
  if (missing.length > 0) {
    throw new ConfigError(
      `${path} line 1: there is no column ${missing.join(', ')}; the file has ${header.join(', ') || 'none'}. Correct the file or columns, delimiter and properties in sources/${name}.yaml`,
    )
  }
  return { format, delimiter, header }
}

/** Every column that the mapping names. */
function columnsOf({ columns, properties }: SourceMapping): string[] {
  const { time, event, user, device, id, groups } = columns
  const named = [time.column, event.column, user, device, id, ...Object.values(groups)]
  const looked = properties === 'all' ? [] : properties
  return [...named, ...looked].filter((column) => column !== undefined)
}

/**
 * The files among what a person named: files, or folders that hold some of this format.
 * @throws {ConfigError} naming the path that cannot be read, holds none, or names a window twice.
 */
async function filesAt(
  { format, replace }: SourceMapping,
  paths: readonly string[],
): Promise<string[]> {
  const found = (await Promise.all(paths.map((path) => filesIn(format, path)))).flat()
  const files = [...new Set(found)].sort()
  const names = files.map((path) => basename(path).replace(/\.gz$/, ''))
  const twice = replace === 'file' && names.find((one, index) => names.indexOf(one) !== index)
  if (twice) {
    throw new ConfigError(
      `two files are named ${twice}, and each would replace the other; rename one`,
    )
  }
  return files
}

async function filesIn(format: string, path: string): Promise<string[]> {
  const info = await stat(path).catch((cause: unknown) => {
    throw new ConfigError(`${path} cannot be read; check --files`, { cause })
  })
  if (!info.isDirectory()) return [path]
  const names = await readdir(path)
  const files = names.filter(
    (name) => name.endsWith(`.${format}`) || name.endsWith(`.${format}.gz`),
  )
  if (files.length === 0) {
    throw new ConfigError(`there is no *.${format} or *.${format}.gz in ${path}; check --files`)
  }
  return files.map((name) => join(path, name))
}
