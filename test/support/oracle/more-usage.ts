import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { parse, stringify } from 'yaml'
import type { MappingFiles } from '../../../src/core/mapping/mapping-set.ts'

/**
 * Adds the models of a folder to mapping files, and to their tracking plan what `more-usage.yaml`
 * declares there; an action of the same name stands instead of theirs.
 */
export async function withModelsOf(files: MappingFiles, folder: string): Promise<MappingFiles> {
  const models: Record<string, string> = {}
  for (const name of await readdir(join(folder, 'models'))) {
    models[`models/${name}`] = await readFile(join(folder, 'models', name), 'utf8')
  }
  type Plan = Record<'traits' | 'actions', object>
  const plan = parse(files['usage.yaml'] ?? '') as Plan
  const more = parse(await readFile(join(folder, 'more-usage.yaml'), 'utf8')) as Plan
  const traits = { ...plan.traits, ...more.traits }
  const actions = { ...plan.actions, ...more.actions }
  return { ...files, ...models, 'usage.yaml': stringify({ ...plan, traits, actions }) }
}
