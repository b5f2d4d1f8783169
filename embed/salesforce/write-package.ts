import { mkdir, rm, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { packageFiles } from './source/package-files.ts'

/** Writes the SFDX project anew from `source/`: `node embed/salesforce/write-package.ts`. */
const root = import.meta.dirname
const files = packageFiles()
const directories = new Set([...files.keys()].map((path) => path.split('/')[0] ?? ''))
for (const directory of directories)
  await rm(join(root, directory), { recursive: true, force: true })
for (const [path, text] of files) {
  await mkdir(dirname(join(root, path)), { recursive: true })
  await writeFile(join(root, path), text)
}
