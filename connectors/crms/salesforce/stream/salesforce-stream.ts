import { ConfigError, RetryableError } from '../../../../src/core/errors.ts'
import type { AccessTokens } from '../../../../src/core/ports/access-tokens.ts'
import type { Finding } from '../../../../src/core/ports/crm-check.ts'
import type { CrmStream, StreamFollower } from '../../../../src/core/ports/crm-stream.ts'
import { tokensOf } from '../tokens-of.ts'
import { checkToken } from '../transport.ts'
import type { EventSchema } from './event-schema.ts'
import { failureOf, hear, type Listener, mayListen } from './hear.ts'
import { openPubSub, type PubSub } from './pub-sub.ts'
import type { StreamAddress } from './stream-address.ts'
import { parseTold } from './told-changes.ts'

export interface SalesforceStreamOptions {
  readonly address: StreamAddress
  /** Address of the org, such as `https://acme.my.salesforce.com`. */
  readonly baseUrl: string
  readonly accessToken: string | AccessTokens
  /** Deadline of a call that is no stream, in milliseconds. */
  readonly timeoutMs: number
  /** A stream that says nothing for so long is broken, in milliseconds; Salesforce speaks every 270 seconds. */
  readonly silenceMs?: number
}

const SILENCE_MS = 330_000

/**
 * Salesforce's Change Data Capture over the Pub/Sub API.
 * @throws {ConfigError} when SALESFORCE_ACCESS_TOKEN cannot be used at all.
 */
export function createSalesforceStream(options: SalesforceStreamOptions): CrmStream {
  const tokens = tokensOf(options.accessToken)
  // Kept for as long as the process runs: a schema never changes under its id.
  const schemas = new Map<string, EventSchema>()
  return {
    name: 'salesforce',
    parse: parseTold,
    async follow(follower, signal) {
      const pubSub = openPubSub(options.address, options.timeoutMs)
      try {
        await follow({ options, tokens, schemas, pubSub }, follower, signal)
      } catch (error) {
        if (!signal.aborted) throw error
      } finally {
        pubSub.close()
      }
    },
    inspect: (account, signal) => inspect({ options, tokens, schemas }, account, signal),
  }
}

interface Parts {
  readonly options: SalesforceStreamOptions
  readonly tokens: AccessTokens
  readonly schemas: Map<string, EventSchema>
}

/** Goes on behind the last place for as long as a new token or another beginning helps. */
async function follow(
  { options, tokens, schemas, pubSub }: Parts & { readonly pubSub: PubSub },
  follower: StreamFollower,
  signal: AbortSignal,
): Promise<void> {
  const instanceUrl = options.baseUrl.replace(/\/+$/, '')
  let token = checkToken(await tokens.get(signal), tokens.name)
  const listener: Listener = {
    ...{ pubSub, follower, schemas, silenceMs: options.silenceMs ?? SILENCE_MS },
    caller: () => ({ token, instanceUrl, orgId: follower.account }),
    place: follower.from,
    hasHeard: false,
  }
  let isRenewed = false
  while (!signal.aborted) {
    const failure = await hear(listener, signal)
    if (failure === null) return
    if (failure.kind === 'failed') throw failure.error
    if (failure.kind === 'place') {
      if (listener.place === null) throw new RetryableError("Salesforce's stream has no beginning.")
      listener.place = null
      continue
    }
    const other = isRenewed && !listener.hasHeard ? null : await tokens.renew(token, signal)
    if (other === null) throw notLetIn(tokens)
    token = checkToken(other, tokens.name)
    isRenewed = true
    listener.hasHeard = false
  }
}

async function inspect(
  { options, tokens }: Parts,
  account: string,
  signal: AbortSignal,
): Promise<Finding> {
  const pubSub = openPubSub(options.address, options.timeoutMs)
  const instanceUrl = options.baseUrl.replace(/\/+$/, '')
  try {
    const token = checkToken(await tokens.get(signal), tokens.name)
    await mayListen(pubSub, { token, instanceUrl, orgId: account }, signal)
    const what = 'changes are heard as they happen, of objects that Change Data Capture is on for'
    return { level: 'ok', about: 'stream', what, mend: null }
  } catch (error) {
    const failure = failureOf(error)
    const why = failure.kind === 'failed' ? failure.error.message : notLetIn(tokens).message
    const what = `changes are not heard as they happen, and asked for instead: ${why}`
    return { level: 'warning', about: 'stream', what, mend: null }
  } finally {
    pubSub.close()
  }
}

function notLetIn({ name }: AccessTokens): ConfigError {
  return new ConfigError(
    `Salesforce's stream does not let ${name} in: check that it may use the API, and run ripen check --crm salesforce.`,
  )
}
