import { join } from 'node:path'
import { z } from 'zod'
import { ConfigError } from '../../../core/errors.ts'
import { readConfig } from '../../../infra/config.ts'
import { companyOf, startDemoSandbox } from '../../demo-company.ts'
import { untilStopped } from '../until-stopped.ts'
import { print, printJson } from '../with-app.ts'

interface SandboxOptions {
  readonly port: string
  readonly dir?: string
  readonly seed?: boolean
  /** A CRM to play besides HubSpot. */
  readonly crm?: string
  readonly json?: boolean
}

const portSchema = z.coerce.number().int().min(0).max(65_535)

/** `ripen sandbox`: the vendors on loopback, for trying things out and for tests. */
export async function sandboxCommand(options: SandboxOptions): Promise<void> {
  const port = portSchema.safeParse(options.port)
  if (!port.success) throw new ConfigError(`--port ${options.port} is no port; take 0 to 65535`)
  const salesforce = options.crm === 'salesforce'
  if (options.crm !== undefined && !salesforce && options.crm !== 'hubspot') {
    throw new ConfigError(`--crm ${options.crm} is not known; take one of hubspot, salesforce`)
  }
  const dir = options.dir ?? join(readConfig().RIPEN_DATA_DIR, 'sandbox')
  const { company } = await companyOf(dir, new Date(), false)
  const seed = options.seed === true
  const sandbox = await startDemoSandbox(dir, company, { port: port.data, seed, salesforce })
  const { baseUrl, environment } = sandbox
  // Before the first word: whoever reads it may stop us at once.
  const stopped = untilStopped()
  if (options.json) printJson({ url: baseUrl, dir, environment })
  else {
    const crms = salesforce ? 'Salesforce, HubSpot' : 'HubSpot'
    print(`${crms}, Amplitude and Mixpanel listen on ${baseUrl}; records: ${baseUrl}/`)
    print('Point Ripen at them with:')
    for (const [name, value] of Object.entries(environment)) print(`  export ${name}=${value}`)
    print('Stop with Ctrl-C')
  }
  await stopped
  await sandbox.close()
}
