import { mkdir, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { readMappingFolder } from '../infra/mappings/folder.ts'

const OWN = fileURLToPath(new URL('../../mappings', import.meta.url))

/** What the demo does otherwise than the mappings that come with Ripen: deals count, and what changed is asked for. */
const EDITS = [
  [/^# (deals: \{ wins: latest \}).*$/m, '$1'],
  [/^read-every: 1h$/m, 'read-every: 30d'],
] as const

/** Writes the demo's mappings into its folder; returns where. */
export async function writeDemoMappings(dir: string): Promise<string> {
  const folder = join(dir, 'mappings')
  for (const [name, text] of Object.entries(await readMappingFolder(OWN))) {
    if (name.startsWith('presets/')) continue
    await mkdir(dirname(join(folder, name)), { recursive: true })
    await writeFile(join(folder, name), name === 'hubspot.yaml' ? edited(text) : text)
  }
  return folder
}

function edited(text: string): string {
  return EDITS.reduce((before, [from, to]) => {
    const after = before.replace(from, to)
    if (after === before) throw new Error(`hubspot.yaml does not hold ${from}`)
    return after
  }, text)
}
