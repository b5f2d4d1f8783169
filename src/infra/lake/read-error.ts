import { basename } from 'node:path'
import { ConfigError } from '../../core/errors.ts'

/**
 * Turns DuckDB's complaint about a file it cannot read into one that names file and line, without the
 * line's text (it may hold a person's data). Other errors come back as they are.
 */
export function readError(error: unknown): unknown {
  const message = error instanceof Error ? error.message : String(error)
  if (!/JSON|gzip|GZIP|Invalid Input|Conversion|Could not convert/i.test(message)) return error
  if (message.includes('CSV Error on Line')) return csvError(message)
  return new ConfigError(
    `${placeOf(message)} cannot be read as JSON lines of this vendor; nothing of it was kept. Export it again`,
    { cause: new Error(withoutData(message)) },
  )
}

/** A line of a CSV file that does not have the columns of its header, or breaks off in a value. */
function csvError(message: string): ConfigError {
  const line = /CSV Error on Line: (\d+)/.exec(message)?.[1]
  const file = /\n\s*file = (.+)\n(?![\s\S]*\n\s*file = )/.exec(message)?.[1]
  const columns = /Expected Number of Columns: (\d+) Found: (\d+)/.exec(message)
  const what = columns
    ? `has ${columns[2]} columns where the header has ${columns[1]}; mend the line or correct delimiter`
    : message.includes('unterminated quote')
      ? 'opens a quote that is never closed; write a quote inside of a value twice'
      : message.includes('not utf-8')
        ? 'is not in UTF-8; save the file in that encoding'
        : 'cannot be read as CSV; mend the line'
  return new ConfigError(
    `${file ? basename(file) : 'a file'} line ${line} ${what}. Nothing was kept`,
    { cause: new Error(withoutData(message)) },
  )
}

function placeOf(message: string): string {
  const file =
    /in file "([^"]+)"/.exec(message)?.[1] ??
    /["\s]([^"\s]+\.(?:gz|jsonl|json))\b/.exec(message)?.[1]
  if (!file) return 'an export file'
  const name = basename(file)
  const said = /(?:in line|near line|line|record\/value) (\d+)/i.exec(message)?.[1]
  if (!said) return name
  // DuckDB counts to the line after one that is no JSON, and to the start of the batch of 2,048 lines
  // for one that is JSON but holds a wrong value.
  const line = message.includes('Malformed JSON') ? Number(said) - 1 : Number(said)
  return message.includes('is approximate')
    ? `${name}, from line ${line} on,`
    : `${name} line ${line}`
}

/** What DuckDB says, less everything that it quotes. */
function withoutData(message: string): string {
  const [first = ''] = message.split('\n')
  return first
    .replace(/"[^"]*\.(?:gz|jsonl|json)", /, '')
    .replace(/(["']).*\1/, '…')
    .replace(/\bgot ([A-Z]+): .*/, 'got $1')
    .replace(/: \/.*/, '')
    .slice(0, 200)
}
