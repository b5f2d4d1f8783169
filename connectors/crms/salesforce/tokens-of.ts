import { type AccessTokens, fixedToken } from '../../../src/core/ports/access-tokens.ts'
import { STATIC_TOKEN } from './classify-error.ts'
import { checkToken } from './transport.ts'

/**
 * Where tokens come from, for a session of one's own too.
 * @throws {ConfigError} when it cannot be a token.
 */
export function tokensOf(given: string | AccessTokens): AccessTokens {
  return typeof given === 'string'
    ? fixedToken(STATIC_TOKEN, checkToken(given, STATIC_TOKEN))
    : given
}
