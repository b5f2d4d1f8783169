import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { beforeAll, describe, expect, it } from '@jest/globals'
import { type MappingFiles, parseMappingSet } from '../../src/core/mapping/mapping-set.ts'

const OURS = fileURLToPath(new URL('../../mappings/', import.meta.url))
let files: MappingFiles = {}

beforeAll(async () => {
  const names = (await readdir(OURS, { recursive: true })).filter((n) => n.endsWith('.yaml'))
  const read = names.map(async (name) => [name, await readFile(join(OURS, name), 'utf8')] as const)
  files = Object.fromEntries(await Promise.all(read))
})

/** The shipped mapping with one part of hubspot.yaml replaced. */
function withHubspot(from: string, to: string): MappingFiles {
  const text = files['hubspot.yaml'] ?? ''
  if (!text.includes(from)) throw new Error(`hubspot.yaml does not hold ${from}`)
  return { ...files, 'hubspot.yaml': text.replace(from, to) }
}

describe('a task template', () => {
  it.each([
    { name: 'an unknown variable', to: '{{ champoin.email }}' },
    { name: 'an unknown filter', to: '{{ champion.email | shout }}' },
    { name: 'a tag that is not closed', to: '{% if champion %}' },
  ])('with $name is refused before it is published, with file and line', ({ to }) => {
    const broken = withHubspot('{{ champion.email }}', to)
    expect(() => parseMappingSet(broken)).toThrow(/^hubspot\.yaml:\d+:\d+: tasks\.body: /)
  })
})

it('a file that nobody reads is named, not passed over', () => {
  expect(() => parseMappingSet({ ...files, 'model/people.yaml': 'id: x' })).toThrow(
    /model\/people\.yaml: nobody reads a file of this name/,
  )
})
