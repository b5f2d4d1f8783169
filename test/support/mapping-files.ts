import { mkdir, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import type { MappingFiles } from '../../src/core/mapping/mapping-set.ts'
import { readMappingFolder } from '../../src/infra/mappings/folder.ts'

/** One change of a mapping file: a text that must occur in it, and what stands there instead. */
export interface Edit {
  readonly file: string
  readonly from: string | RegExp
  readonly to: string
}

const OWN = join(import.meta.dirname, '../../mappings')

/** The mappings that come with Ripen, with some texts replaced; without presets, which are not run. */
export async function mappingFiles(...edits: readonly Edit[]): Promise<MappingFiles> {
  const own = Object.entries(await readMappingFolder(OWN))
  const files = Object.fromEntries(own.filter(([name]) => !name.startsWith('presets/')))
  for (const { file, from, to } of edits) {
    const before = files[file] ?? ''
    const after = before.replace(from, to)
    if (after === before) throw new Error(`${file} does not hold ${from}`)
    files[file] = after
  }
  return files
}

/** Writes mapping files into a folder, for `--mappings`. */
export async function writeMappings(folder: string, files: MappingFiles): Promise<string> {
  for (const [name, text] of Object.entries(files)) {
    await mkdir(dirname(join(folder, name)), { recursive: true })
    await writeFile(join(folder, name), text)
  }
  return folder
}
