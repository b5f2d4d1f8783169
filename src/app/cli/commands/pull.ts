import { resolve } from 'node:path'
import { allSources } from '../../../../jobs/sources.ts'
import { ConfigError } from '../../../core/errors.ts'
import { readStatus } from '../../status.ts'
import { createProgressFeed } from '../progress.ts'
import { type CommonOptions, print, printJson, withApp } from '../with-app.ts'

interface PullOptions extends CommonOptions {
  readonly source?: string
  readonly files?: readonly string[]
}

/** `ripen pull`: usage into the lake, rollups, people and accounts. */
export async function pullCommand(options: PullOptions): Promise<void> {
  const feed = createProgressFeed()
  await withApp({ ...options, onProgress: feed.onProgress }, async ({ context, engine }) => {
    const sources = await allSources(context)
    const known = [...sources.keys()]
    if (options.source !== undefined && !known.includes(options.source)) {
      throw new ConfigError(
        `--source ${options.source} is not known; take one of ${known.join(', ')}`,
      )
    }
    if (options.files && options.source === undefined) {
      throw new ConfigError(`--files needs --source: one of ${known.join(', ')}`)
    }
    const online = known.filter((name) => sources.get(name)?.online)
    const names = options.source ? [options.source] : online
    if (names.length === 0) {
      throw new ConfigError(
        'no source is connected; set AMPLITUDE_API_KEY and AMPLITUDE_SECRET_KEY, or AMPLITUDE_S3_BUCKET, or MIXPANEL_PROJECT_ID, MIXPANEL_SERVICE_ACCOUNT and MIXPANEL_SECRET, or name export files with --source and --files',
      )
    }
    const files = options.files?.map((path) => resolve(path))
    engine.start(['pull', 'rollup', 'identity', 'rebuild'], [])
    const line = {
      title: `Pull ${names.join(' and ')}`,
      steps: ['pull', 'rebuild'] as const,
      run: async () => {
        for (const name of names) await engine.request('pull', name, files ? { files } : undefined)
        await engine.idle(['pull'], names)
        await engine.idle(['rollup', 'identity'], names)
        await engine.idle(['rebuild'])
        const { people, accounts, ...after } = await readStatus(context.db)
        const events = names.map((name) => `${after.sources[name]?.events ?? 0} events in ${name}`)
        return `${events.join(', ')}; ${people} people, ${accounts} accounts`
      },
    }
    await feed.show([line], options.json === true)
    const status = await readStatus(context.db)
    if (options.json) printJson(status)
    else print('Next: ripen score, then ripen sync --crm hubspot')
  })
}
