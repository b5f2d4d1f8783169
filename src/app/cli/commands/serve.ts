import { join } from 'node:path'
import { type Config, readConfig } from '../../../infra/config.ts'
import { createApi } from '../../api/api.ts'
import { checkExposure, listenApi } from '../../api/server.ts'
import { companyOf, startDemoSandbox } from '../../demo-company.ts'
import { untilStopped } from '../until-stopped.ts'
import { type CommonOptions, print, printJson, withApp } from '../with-app.ts'
import { demoConfig } from './demo.ts'
import { startWorker } from './worker.ts'

interface ServeOptions extends CommonOptions {
  readonly worker?: boolean
  readonly demo?: boolean
}

const SANDBOX_PORT = 4010

/** `ripen serve`: the API; with `--demo`, the demo's data, its sandbox and a worker beside it. */
export async function serveCommand(options: ServeOptions): Promise<void> {
  const config = readConfig()
  checkExposure(config)
  if (!options.demo) return serve(options, config, options.worker === true, null)
  const dir = join(config.RIPEN_DATA_DIR, 'demo')
  const { company, end } = await companyOf(dir, new Date(), false)
  const sandbox = await startDemoSandbox(dir, company, { port: SANDBOX_PORT, seed: true })
  try {
    const { RIPEN_HOST, RIPEN_PORT, RIPEN_API_TOKEN } = config
    const own = { ...demoConfig(dir, end, sandbox), RIPEN_HOST, RIPEN_PORT, RIPEN_API_TOKEN }
    await serve(options, own, true, sandbox.baseUrl)
  } finally {
    await sandbox.close()
  }
}

async function serve(
  options: CommonOptions,
  config: Config,
  withWorker: boolean,
  sandboxUrl: string | null,
): Promise<void> {
  await withApp({ ...options, config, ownsSignals: false, logLevel: 'info' }, async (app) => {
    const server = await listenApi(createApi(app), config)
    const worker = withWorker ? startWorker(app) : null
    // Before the first word: whoever reads it may stop us at once.
    const stopped = untilStopped()
    if (options.json) printJson({ api: server.url, worker: withWorker, sandbox: sandboxUrl })
    else {
      print(`API:     ${server.url}/api/v1/people`)
      if (worker) print('Worker:  runs in this process')
      if (sandboxUrl) print(`Sandbox: ${sandboxUrl}/ (what reps would see)`)
      print('Stop with Ctrl-C')
    }
    await stopped
    await worker?.stop()
    await server.close()
  })
}
