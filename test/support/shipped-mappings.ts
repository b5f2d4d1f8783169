import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect } from '@jest/globals'
import { ConfigError } from '../../src/core/errors.ts'
import { type MappingFiles, parseMappingSet } from '../../src/core/mapping/mapping-set.ts'

const folder = join(import.meta.dirname, '../../mappings')

/** The shipped mapping files. */
export function shipped(): Record<string, string> {
  const names = readdirSync(folder, { recursive: true, encoding: 'utf8' })
  return Object.fromEntries(
    names
      .filter((name) => name.endsWith('.yaml'))
      .map((name) => [name.replaceAll('\\', '/'), readFileSync(join(folder, name), 'utf8')]),
  )
}

/** The shipped files with one text of one file replaced. */
export function changed(file: string, from: string, to: string): MappingFiles {
  const files = shipped()
  const text = files[file] ?? ''
  expect(text).toContain(from)
  return { ...files, [file]: text.replace(from, to) }
}

/** What is said of a wrong folder, line by line. */
export function problemsOf(files: MappingFiles): string[] {
  try {
    parseMappingSet(files)
  } catch (error) {
    expect(error).toBeInstanceOf(ConfigError)
    return (error as ConfigError).message.split('\n')
  }
  return []
}

/** Line and column of a text in a file. */
export function placeIn(text: string, part: string): string {
  const lines = (text.split(part)[0] ?? '').split('\n')
  return `${lines.length}:${(lines.at(-1) ?? '').length + 1}`
}
