import { z } from 'zod'
import { ConfigError } from '../../../core/errors.ts'
import { reviveCrm } from '../../../infra/postgres/work.ts'
import type { ConnectedAccount } from '../../../infra/secrets/oauth-flow.ts'
import type { App } from '../../compose.ts'
import { callbackUrl, type OAuthConnection } from '../../oauth-connection.ts'
import { crmNeedsOf, oauthOf } from '../crm-of.ts'
import { listenForAnswer, readPastedAnswer } from '../oauth-answer.ts'
import { type CommonOptions, print, printJson, withApp } from '../with-app.ts'

interface ConnectOptions extends CommonOptions {
  readonly crm: string
  readonly port: string
  readonly paste?: boolean
}

const portSchema = z.coerce.number().int().min(0).max(65_535)
/** As long as an authorisation that was begun is good for. */
const PATIENCE_MS = 10 * 60_000

/** `ripen connect`: a person logs in at a CRM and lets Ripen in; the tokens are stored encrypted. */
export async function connectCommand(options: ConnectOptions): Promise<void> {
  const port = portSchema.safeParse(options.port)
  if (!port.success) throw new ConfigError(`--port ${options.port} is no port; take 0 to 65535`)
  const account = await withApp({ ...options, publish: false }, async (app) => {
    const connection = oauthOf(app, options.crm)
    if (connection.overriddenBy !== null) {
      throw new ConfigError(
        `${connection.overriddenBy} is set and comes before a connection; take it out first`,
      )
    }
    const connected = await connect(app, connection, options, port.data)
    await reviveCrm(app.context.db, options.crm)
    return connected
  })
  if (options.json) return printJson({ crm: options.crm, ...account })
  print(`Connected to the ${options.crm} account ${account.account ?? 'that was chosen'}.`)
  print(`Next: ripen check --crm ${options.crm}`)
}

async function connect(
  app: App,
  connection: OAuthConnection,
  { crm, paste = false, mappings }: ConnectOptions,
  port: number,
): Promise<ConnectedAccount> {
  const scopes = connection.scopes(await crmNeedsOf(app, crm, mappings))
  const path = new URL(callbackUrl('http://localhost', crm)).pathname
  let state: string | null = null
  const isOurs = (parameters: URLSearchParams) => parameters.get('state') === state
  const listener = paste ? null : await listenForAnswer(connection.flow, port, path, isOurs)
  const base = `http://localhost:${listener?.port ?? port}`
  const url = await connection.flow.start(callbackUrl(base, crm), scopes)
  state = new URL(url).searchParams.get('state')
  tellWhereTo(url, callbackUrl(base, crm), paste)
  const source = listener ?? readPastedAnswer(connection.flow)
  try {
    const { connected, failure } = await withinPatience(source.answer)
    if (connected) return connected
    throw failure ?? new ConfigError('nothing was connected')
  } finally {
    await source.close()
  }
}

/** On stderr: stdout belongs to the answer of a command. */
function tellWhereTo(url: string, redirectUri: string, paste: boolean): void {
  const lines = [
    'Open this address in a browser, log in and agree:',
    `  ${url}`,
    paste
      ? `Then paste the whole address that the browser ends at (it begins with ${redirectUri} and need not load):`
      : `Waiting for the browser to come back to ${redirectUri} ...`,
  ]
  process.stderr.write(`${lines.join('\n')}\n`)
}

async function withinPatience<T>(answer: Promise<T>): Promise<T> {
  let timer: NodeJS.Timeout | undefined
  const late = new Promise<never>((_, reject) => {
    const message = 'nobody came back within ten minutes; nothing was connected'
    timer = setTimeout(() => reject(new ConfigError(message)), PATIENCE_MS)
  })
  try {
    return await Promise.race([answer, late])
  } finally {
    clearTimeout(timer)
  }
}
