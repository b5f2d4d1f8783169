import { isSyncFailure } from '../core/errors.ts'
import type { ConnectedAccount, OAuthFlow } from '../infra/secrets/oauth-flow.ts'

/** How an authorisation ended, and the page that the browser shows. */
export interface FinishedOAuth {
  readonly connected: ConnectedAccount | null
  /** Why nothing was connected. */
  readonly failure: Error | null
  readonly page: string
}

const MOST_MS = 60_000

/**
 * Takes what the vendor sent back with the browser.
 * Nothing of the address is repeated on the page: whoever makes it up must not write on it.
 */
export async function finishOAuth(
  flow: OAuthFlow,
  parameters: URLSearchParams,
): Promise<FinishedOAuth> {
  try {
    const connected = await flow.finish(parameters, AbortSignal.timeout(MOST_MS))
    return { connected, failure: null, page: page('Connected. You can close this page.') }
  } catch (error) {
    if (!isSyncFailure(error)) throw error
    return { connected: null, failure: error, page: page(`Not connected: ${error.message}.`) }
  }
}

function page(text: string): string {
  const safe = text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;')
  return `<!doctype html><meta charset="utf-8"><title>Ripen</title><p>${safe}</p>\n`
}
