/** Anything that looks like an e-mail address. */
const EMAIL = /[^\s"'<>(),;:=]+@[^\s"'<>(),;:=]+/g
const MOST_TEXT = 300

/** What may be said about an unexpected error: where it came from, without what it was about. */
export interface SafeError {
  readonly name: string
  readonly code: string | null
  readonly message: string
  readonly frames: readonly string[]
}

/**
 * Cuts an unexpected error down to what may stand in a log. Drivers put rows into `detail` and parsers
 * put input into messages, so only the shortened message without addresses and the stack stay.
 */
export function safeError(error: unknown): SafeError {
  if (!(error instanceof Error)) {
    return { name: typeof error, code: null, message: 'something other than an Error', frames: [] }
  }
  const { code } = error as { code?: unknown }
  const lines = (error.stack ?? '').split('\n')
  return {
    name: error.name,
    code: typeof code === 'string' || typeof code === 'number' ? String(code) : null,
    message: (error.message.split('\n')[0] ?? '').replace(EMAIL, '…').slice(0, MOST_TEXT),
    frames: lines.map((line) => line.trim()).filter((line) => line.startsWith('at ')),
  }
}
