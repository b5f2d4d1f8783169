import { readdir, readFile } from 'node:fs/promises'
import { join, sep } from 'node:path'
import { ConfigError } from '../../core/errors.ts'
import type { MappingFiles } from '../../core/mapping/mapping-set.ts'

/**
 * Reads every YAML file of a mapping folder.
 * @throws {ConfigError} when the folder cannot be read.
 */
export async function readMappingFolder(folder: string): Promise<MappingFiles> {
  const names = await readdir(folder, { recursive: true }).catch((cause: unknown) => {
    throw new ConfigError(
      `the mapping folder ${folder} cannot be read; check --mappings or RIPEN_MAPPINGS_DIR`,
      { cause },
    )
  })
  const files: Record<string, string> = {}
  for (const name of names.filter((n) => n.endsWith('.yaml')).sort()) {
    files[name.split(sep).join('/')] = await readFile(join(folder, name), 'utf8')
  }
  return files
}
