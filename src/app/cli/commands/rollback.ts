import { ConfigError } from '../../../core/errors.ts'
import { fileSummaries } from '../../../core/mapping/file-changes.ts'
import { effectsOf, publishMapping } from '../../../infra/mappings/published.ts'
import { readVersion, readVersions } from '../../../infra/mappings/versions.ts'
import type { App } from '../../compose.ts'
import { describeChanges, describeEffects } from '../changes-text.ts'
import { whoRuns } from '../who.ts'
import { type CommonOptions, print, printJson, withApp } from '../with-app.ts'
import type { ApplyResult } from './apply.ts'
import { versionNumber } from './versions.ts'

interface RollbackOptions extends CommonOptions {
  readonly note?: string
}

interface RollbackResult extends ApplyResult {
  readonly rolledBackTo: number
}

/** `ripen rollback`: publishes the files of an older version anew. Nothing is deleted. */
export async function rollbackCommand(
  version: string | undefined,
  options: RollbackOptions,
): Promise<void> {
  const result = await withApp({ ...options, publish: false }, (app) =>
    rollback(app, version, options),
  )
  if (options.json) return printJson(result)
  print(describe(result))
}

async function rollback(
  { context: { db } }: App,
  named: string | undefined,
  { note }: RollbackOptions,
): Promise<RollbackResult> {
  const [live, before] = await readVersions(db, 2)
  const to = named === undefined ? before?.version : versionNumber(named)
  if (!live || to === undefined) {
    throw new ConfigError('there is no earlier version to go back to; ripen versions lists them')
  }
  const target = await readVersion(db, to)
  const effects = await effectsOf(db, target.files)
  const about = {
    by: whoRuns(),
    evenUndone: true,
    rolledBackTo: target.version,
    ...(note === undefined ? {} : { note }),
  }
  const { version } = await publishMapping(db, target.folder, target.files, about)
  const changes = fileSummaries(live.files, target.files)
  return {
    version,
    folder: target.folder,
    published: version !== live.version,
    changes,
    effects: changes.length > 0 ? effects : null,
    rolledBackTo: to,
  }
}

function describe({ version, published, changes, effects, rolledBackTo }: RollbackResult): string {
  if (!published || effects === null) {
    return `version ${version} has the files of version ${rolledBackTo} already; nothing was published`
  }
  return [
    `version ${version} has the files of version ${rolledBackTo} again:`,
    describeChanges(changes),
    `Next: ${describeEffects(effects)}`,
    'The folder is as it was: mend it there, and publish it with ripen apply.',
  ].join('\n')
}
