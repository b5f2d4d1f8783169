import { describe, expect, it } from '@jest/globals'
import { z } from 'zod'
import { ConfigError } from '../../src/core/errors.ts'
import { parseYaml } from '../../src/core/mapping/parse-yaml.ts'

const schema = z.strictObject({
  name: z.string(),
  size: z.enum(['small', 'large']).optional(),
  list: z
    .array(
      z.union([
        z.strictObject({ id: z.string(), action: z.string(), points: z.number() }),
        z.strictObject({ id: z.string(), trait: z.string(), in: z.array(z.string()) }),
      ]),
    )
    .default([]),
  limit: z
    .union(
      [z.number().positive(), z.strictObject({ trait: z.string() })],
      'write a number or { trait: … }',
    )
    .optional(),
  where: z.record(z.string(), z.strictObject({ gte: z.number() })).default({}),
})

function problemsOf(text: string): string[] {
  try {
    parseYaml(text, 'some/file.yaml', schema)
  } catch (error) {
    expect(error).toBeInstanceOf(ConfigError)
    return (error as ConfigError).message.split('\n')
  }
  return []
}

describe('a file that RevOps edits', () => {
  it('is read with its defaults', () => {
    expect(parseYaml('name: a # and why', 'f.yaml', schema)).toEqual({
      name: 'a',
      list: [],
      where: {},
    })
  })

  it('may name a value once and use it twice', () => {
    const text = 'name: &n hello\nlist:\n  - { id: *n, action: *n, points: 1 }'
    expect(parseYaml(text, 'f.yaml', schema).list).toEqual([
      { id: 'hello', action: 'hello', points: 1 },
    ])
  })
})

describe('a problem in a file names the file, the line and the column, and', () => {
  it.each([
    {
      name: 'tells a syntax error',
      text: 'name: a\nlist: [1, 2\n',
      want: [/^some\/file\.yaml:3:1: .*flow/i],
    },
    {
      name: 'tells a tab',
      text: 'name: a\nwhere:\n\tx: 1\n',
      want: [/^some\/file\.yaml:3:1: .*tab/i],
    },
    {
      name: 'tells a key that is given twice',
      text: 'name: a\nsize: small\nname: b\n',
      want: [/^some\/file\.yaml:3:1: .*unique/],
    },
    {
      name: 'tells an unknown field by its own place',
      text: 'name: a\nlabel: b\n',
      want: [/^some\/file\.yaml:2:1: label: unknown field; remove it or correct its name$/],
    },
    {
      name: 'tells each of several unknown fields',
      text: 'a: 1\nname: a\nb: 2\n',
      want: [/^some\/file\.yaml:1:1: a: unknown field/, /^some\/file\.yaml:3:1: b: unknown field/],
    },
    {
      name: 'tells a wrong type at the key that holds it',
      text: '# first\n\nname:\n  - a\n',
      want: [/^some\/file\.yaml:3:1: name: .*expected string/],
    },
    {
      name: 'tells a wrong word with the words that are known',
      text: 'name: a\nsize: huge\n',
      want: [/^some\/file\.yaml:2:1: size: .*"small"\|"large"/],
    },
    {
      name: 'tells a missing field at its parent',
      text: 'name: a\nlist:\n  - id: x\n    points: 1\n',
      want: [/^some\/file\.yaml:3:5: list\.0\.action: missing; expected string$/],
    },
    {
      name: 'tells a missing field of the file at its start',
      text: '# why\nsize: small\n',
      want: [/^some\/file\.yaml:2:1: name: missing; expected string$/],
    },
    {
      name: 'tells a wrong type inside the form that the entry comes nearest to',
      text: 'name: a\nlist:\n  - { id: x, action: y, points: 1 }\n  - { id: x, action: y, points: many }\n',
      want: [/^some\/file\.yaml:4:25: list\.1\.points: .*expected number, received string$/],
    },
    {
      name: 'tells an unknown field inside the form that the entry comes nearest to',
      text: 'name: a\nlist:\n  - { id: x, trait: y, in: [z], point: 3 }\n',
      want: [/^some\/file\.yaml:3:33: list\.0\.point: unknown field/],
    },
    {
      name: 'tells the form whose own fields are there, though it knows fewer of the others',
      text: 'name: a\nlist:\n  - { id: x, trait: y, in: [z], points: 3, size: 1, count: 2, sum: 3 }\n',
      want: [
        /^some\/file\.yaml:3:33: list\.0\.points: unknown field/,
        /^some\/file\.yaml:3:44: list\.0\.size: unknown field/,
        /^some\/file\.yaml:3:53: list\.0\.count: unknown field/,
        /^some\/file\.yaml:3:63: list\.0\.sum: unknown field/,
      ],
    },
    {
      name: 'tells what the one form lacks that is alike',
      text: 'name: a\nlimit: { triat: x }\n',
      want: [
        /^some\/file\.yaml:2:1: limit\.trait: missing; expected string$/,
        /^some\/file\.yaml:2:10: limit\.triat: unknown field/,
      ],
    },
    {
      name: 'tells which forms there are of what is none of them',
      text: 'name: a\nlimit: ten\n',
      want: [/^some\/file\.yaml:2:1: limit: write a number or \{ trait: … \}$/],
    },
    {
      name: 'tells what is wrong with the one form that is alike',
      text: 'name: a\nlimit: -1\n',
      want: [/^some\/file\.yaml:2:1: limit: Too small: expected number to be >0$/],
    },
    {
      name: 'tells a place below a key that is a number',
      text: 'name: a\nwhere:\n  10:\n    gte: x\n',
      want: [/^some\/file\.yaml:4:5: where\.10\.gte: .*expected number/],
    },
    {
      name: 'tells a * that names nothing',
      text: 'name: a\nlist:\n  - { id: x, action: *y, points: 1 }\n',
      want: [/^some\/file\.yaml:3:22: .*\*y.*quote/],
    },
    {
      name: 'tells several problems at once',
      text: 'name: 1\nsize: x\n',
      want: [/^some\/file\.yaml:1:1: name: /, /^some\/file\.yaml:2:1: size: /],
    },
    {
      name: 'tells a second document',
      text: 'name: a\n---\nname: b\n',
      want: [/:2:1: .*document/],
    },
  ])('$name', ({ text, want }) => {
    const problems = problemsOf(text)
    expect(problems).toHaveLength(want.length)
    want.forEach((pattern, index) => {
      expect(problems[index]).toMatch(pattern)
    })
  })

  it('tells a file without content by its name alone', () => {
    expect(problemsOf('# nothing yet\n')).toEqual([
      expect.stringMatching(/^some\/file\.yaml: .*expected object/),
    ])
  })

  it('refuses a file that unfolds without end', () => {
    const bomb = ['a: &a [1, 1, 1, 1, 1, 1, 1, 1, 1]']
    for (const [index, key] of ['b', 'c', 'd', 'e'].entries()) {
      const before = 'abcd'[index]
      bomb.push(`${key}: &${key} [${Array(9).fill(`*${before}`).join(', ')}]`)
    }
    expect(problemsOf(bomb.join('\n'))).toEqual([
      expect.stringMatching(/^some\/file\.yaml: .*alias/),
    ])
  })
})
