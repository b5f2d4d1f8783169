import { createReadStream } from 'node:fs'
import { createInterface } from 'node:readline'
import { createGunzip } from 'node:zlib'
import { ConfigError } from '../../../src/core/errors.ts'

/**
 * The columns that the first line of a CSV file names; none for an empty file.
 * @throws {ConfigError} naming the file when it cannot be read, has no header, or two columns have one name.
 */
export async function csvHeader(path: string, delimiter: string): Promise<readonly string[]> {
  const names = splitLine((await firstLine(path)).replace(/^\uFEFF/, ''), delimiter)
  // A line of data, whose text must not be told.
  if (names.some((name) => /[^\s@]@[^\s@]/.test(name))) {
    throw new ConfigError(
      `${path} line 1 holds an e-mail address and so is no header; name the columns there`,
    )
  }
  const twice = names.find((name, index) => names.indexOf(name) !== index)
  if (twice !== undefined) {
    throw new ConfigError(`${path} line 1: two columns are named ${twice}; rename one of them`)
  }
  return names
}

async function firstLine(path: string): Promise<string> {
  const file = createReadStream(path)
  const text = path.endsWith('.gz') ? file.pipe(createGunzip()) : file
  // An error of the file does not travel through the pipe.
  file.on('error', (error) => text.destroy(error))
  try {
    for await (const line of createInterface({ input: text, crlfDelay: Infinity })) return line
    return ''
  } catch (cause) {
    throw new ConfigError(`${path} cannot be read; is it a whole file?`, { cause })
  } finally {
    file.destroy()
  }
}

/** The fields of one line, without their quotes. */
function splitLine(line: string, delimiter: string): string[] {
  const fields: string[] = []
  let [field, quoted] = ['', false]
  for (let at = 0; at < line.length; at++) {
    const char = line[at]
    if (char === '"' && quoted && line[at + 1] === '"') {
      field += '"'
      at++
    } else if (char === '"') {
      quoted = !quoted
    } else if (char === delimiter && !quoted) {
      fields.push(field)
      field = ''
    } else {
      field += char
    }
  }
  return line === '' ? [] : [...fields, field]
}
