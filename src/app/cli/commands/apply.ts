import { type FileSummary, fileSummaries } from '../../../core/mapping/file-changes.ts'
import { type ChangeEffects, effectsOf, publishMapping } from '../../../infra/mappings/published.ts'
import { readVersions } from '../../../infra/mappings/versions.ts'
import type { App } from '../../compose.ts'
import { describeChanges, describeEffects } from '../changes-text.ts'
import { whoRuns } from '../who.ts'
import { type CommonOptions, print, printJson, readFolder, withApp } from '../with-app.ts'

interface ApplyOptions extends CommonOptions {
  readonly note?: string
}

/** What `ripen apply` tells. */
export interface ApplyResult {
  readonly version: number
  readonly folder: string
  /** False when the files say what is published already. */
  readonly published: boolean
  readonly changes: readonly FileSummary[]
  readonly effects: ChangeEffects | null
}

/** `ripen apply`: publishes a mapping folder as a new version. */
export async function applyCommand(options: ApplyOptions): Promise<void> {
  const result = await withApp({ ...options, publish: false }, (app) => apply(app, options))
  if (options.json) return printJson(result)
  print(describe(result))
}

async function apply(app: App, options: ApplyOptions): Promise<ApplyResult> {
  const { db } = app.context
  const { absolute: folder, files } = await readFolder(app, options.mappings)
  const [before] = await readVersions(db, 1)
  const effects = await effectsOf(db, files)
  const { note } = options
  const about = { by: whoRuns(), evenUndone: true, ...(note === undefined ? {} : { note }) }
  const { version } = await publishMapping(db, folder, files, about)
  const changes = fileSummaries(before?.files ?? {}, files)
  const published = version !== before?.version
  return { version, folder, published, changes, effects: changes.length > 0 ? effects : null }
}

function describe({ version, folder, published, changes, effects }: ApplyResult): string {
  if (!published) return `version ${version} says this already; nothing was published`
  const from = `published ${folder} as version ${version}`
  if (effects === null) return `${from}; the files are those of the version before`
  return [`${from}:`, describeChanges(changes), `Next: ${describeEffects(effects)}`].join('\n')
}
