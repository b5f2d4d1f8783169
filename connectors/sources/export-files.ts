import { access, readdir } from 'node:fs/promises'
import { join } from 'node:path'
import { ConfigError } from '../../src/core/errors.ts'

/**
 * The export files among what a person named: files of this ending, or folders that hold some.
 * @param ending with the dot, such as `.zip`.
 * @throws {ConfigError} naming the path that cannot be read or holds no export.
 */
export async function exportFiles(
  vendor: string,
  ending: string,
  paths: readonly string[],
): Promise<string[]> {
  const found = await Promise.all(paths.map((path) => exportsAt(vendor, ending, path)))
  return found.flat().sort()
}

async function exportsAt(vendor: string, ending: string, path: string): Promise<string[]> {
  const unreadable = (cause: unknown): never => {
    throw new ConfigError(`${path} cannot be read; check --files`, { cause })
  }
  if (path.endsWith(ending)) {
    await access(path).catch(unreadable)
    return [path]
  }
  const names = await readdir(path).catch(unreadable)
  const exports = names.filter((name) => name.endsWith(ending))
  if (exports.length === 0) {
    throw new ConfigError(`no ${vendor} export (*${ending}) in ${path}; check --files`)
  }
  return exports.map((name) => join(path, name))
}
