import { basename } from 'node:path'
import { ConfigError } from '../../core/errors.ts'

/**
 * Turns DuckDB's complaint about a file it cannot read into one that names file and line, without the
 * line's text (it may hold a person's data). Other errors come back as they are.
 */
export function readError(error: unknown): unknown {
  const message = error instanceof Error ? error.message : String(error)
  if (!/JSON|gzip|GZIP|Invalid Input|Conversion|Could not convert/i.test(message)) return error
  const file =
    /in file "([^"]+)"/.exec(message)?.[1] ?? /"([^"]+\.(?:gz|jsonl|json))"/.exec(message)?.[1]
  const line = /(?:in line|near line|line|record\/value) (\d+)/i.exec(message)?.[1]
  const place = file ? `${basename(file)}${line ? ` line ${line}` : ''}` : 'an export file'
  return new ConfigError(
    `${place} cannot be read as JSON lines of this vendor; nothing of it was kept. Export it again`,
    {
      cause: new Error(
        message
          .split('\n')[0]
          ?.replace(/"[^"]*@[^"]*"/g, '"…"')
          .slice(0, 200),
      ),
    },
  )
}
