import { access, readdir } from 'node:fs/promises'
import { join } from 'node:path'
import { ConfigError } from '../../../src/core/errors.ts'
import type { DownloadedFile } from '../../../src/core/ports/usage-source.ts'
import { checkWhole } from './check-whole.ts'
import {
  checkGzip,
  fileDay,
  newestPeople,
  type PipelineFile,
  pipelineFile,
} from './pipeline-files.ts'

/**
 * Export files as a person named them: `.jsonl` of the raw export, the folders of a JSON pipeline, or
 * folders that hold either.
 * @throws {ConfigError} naming the path that cannot be read, holds nothing or is cut short.
 */
export async function* openFiles(paths: readonly string[]): AsyncGenerator<DownloadedFile> {
  const found = [...new Set((await Promise.all(paths.map(filesAt))).flat())].sort()
  const pipelined = found.map(pipelineFile).filter((file) => file !== null)
  for (const path of found) {
    if (pipelineFile(path)) continue
    const broken = await checkWhole(path)
    if (broken) throw new ConfigError(`${path} ${broken}; export it again`)
    yield { path, windowKey: null }
  }
  for (const file of inOrder(newestPeople(pipelined))) {
    await checkGzip(file.path)
    yield file.form === 'pipeline-events' ? file : { ...file, day: await fileDay(file.path) }
  }
}

/** Files of a window side by side, so that few windows lie in several batches. */
function inOrder(files: readonly PipelineFile[]): PipelineFile[] {
  return files.toSorted((a, b) =>
    a.windowKey < b.windowKey ? -1 : a.windowKey > b.windowKey ? 1 : 0,
  )
}

async function filesAt(path: string): Promise<string[]> {
  const unreadable = (cause: unknown): never => {
    throw new ConfigError(`${path} cannot be read; check --files`, { cause })
  }
  if (path.endsWith('.jsonl') || pipelineFile(path)) {
    await access(path).catch(unreadable)
    return [path]
  }
  const entries = await readdir(path, { recursive: true }).catch(unreadable)
  const files = entries
    // Raw exports are looked for in the folder itself only.
    .filter((name) => !/[\\/]/.test(name) && name.endsWith('.jsonl'))
    .map((name) => join(path, name))
  const pipelined = entries.map((name) => join(path, name)).filter((name) => pipelineFile(name))
  const all = [...files, ...pipelined]
  if (all.length > 0) return all
  throw new ConfigError(
    `no Mixpanel export (*.jsonl) and no folder of a JSON pipeline (mp_master_event) in ${path}; check --files`,
  )
}
