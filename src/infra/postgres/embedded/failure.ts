import { ConfigError } from '../../../core/errors.ts'

/** What a person can do about it, by what PostgreSQL or the operating system says. First match wins. */
const remedies: readonly (readonly [pattern: RegExp, remedy: string])[] = [
  [
    /No space left on device|ENOSPC/,
    'The disk is full: free some space and run the command again.',
  ],
  [/Disk quota exceeded|EDQUOT/, 'The disk quota is used up: free some space and run it again.'],
  [
    /Read-only file system|EROFS/,
    'The disk is read-only: point RIPEN_DATA_DIR at a writable folder.',
  ],
  [/EEXIST|ENOTDIR/, 'A file is in the way: point RIPEN_DATA_DIR at a folder.'],
  [
    /does not recognize|incompatible with server|was initialized by PostgreSQL version/,
    'The data was written by another version of PostgreSQL: start Ripen with the version that wrote it, or move the folder away to start empty.',
  ],
  [
    /shmget|shared memory segment|semget|Cannot allocate memory|ENOMEM/,
    'The system gives out no shared memory: free some, raise its limits, or set DATABASE_URL to a PostgreSQL server.',
  ],
  [
    /could not look up effective user|getpwuid/,
    'The current user has no entry in /etc/passwd: add one, or set DATABASE_URL to a PostgreSQL server.',
  ],
  [
    /Permission denied|Operation not permitted|EACCES|EPERM/,
    'Check that this user may write to RIPEN_DATA_DIR and owns everything in it, or choose another folder.',
  ],
  [
    /invalid (primary |secondary )?checkpoint|PANIC|could not read .* from|database files are/i,
    'The data looks damaged: restore the folder from a backup, or move it away to start empty.',
  ],
]

const fallback = 'Mend what it names, or set DATABASE_URL to a PostgreSQL server of your own.'

/** A failure of the embedded server that a person must mend, with its last words and the remedy. */
export function embeddedFailure(what: string, output: string, cause?: unknown): ConfigError {
  const remedy = remedies.find(([pattern]) => pattern.test(output))?.[1] ?? fallback
  const words = lastLines(output, 12)
  const message = words === '' ? `${what}. ${remedy}` : `${what}. ${remedy}\n${words}`
  return new ConfigError(message, cause === undefined ? {} : { cause })
}

/** Turns what the file system throws into the same kind of failure; one of ours passes unchanged. */
export function asEmbeddedFailure(what: string, error: unknown): ConfigError {
  if (error instanceof ConfigError) return error
  return embeddedFailure(what, error instanceof Error ? error.message : String(error), error)
}

/** The `code` of an operating system or PostgreSQL error, if it has one. */
export function errorCode(error: unknown): string | undefined {
  if (typeof error !== 'object' || error === null || !('code' in error)) return undefined
  return typeof error.code === 'string' ? error.code : undefined
}

function lastLines(text: string, count: number): string {
  const lines = text.split('\n').filter((line) => line.trim() !== '')
  return lines
    .slice(-count)
    .map((line) => `  ${line}`)
    .join('\n')
}
