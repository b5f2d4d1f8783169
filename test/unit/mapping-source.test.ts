import { describe, expect, it } from '@jest/globals'
import { ConfigError } from '../../src/core/errors.ts'
import { parseYaml } from '../../src/core/mapping/parse-yaml.ts'
import { sourceMappingSchema, sourceNameProblem } from '../../src/core/mapping/source-mapping.ts'

const source = `version: 1
format: csv
delimiter: ;
replace: file
columns:
  time: { column: when, format: '%d.%m.%Y', zone: Europe/Berlin }
  event: { column: action }
  user: member
  groups: { company: firm }
properties: [path]
`
const read = (text: string) => parseYaml(text, 'sources/log.yaml', sourceMappingSchema)

function problemOf(text: string): string {
  try {
    read(text)
  } catch (error) {
    expect(error).toBeInstanceOf(ConfigError)
    return (error as ConfigError).message
  }
  return ''
}

describe('a declared source', () => {
  it('is read as it is written', () => {
    expect(read(source)).toEqual({
      version: 1,
      format: 'csv',
      delimiter: ';',
      replace: 'file',
      columns: {
        time: { column: 'when', format: '%d.%m.%Y', zone: 'Europe/Berlin' },
        event: { column: 'action' },
        user: 'member',
        groups: { company: 'firm' },
      },
      properties: ['path'],
    })
  })

  it('needs no more than a time, an event and somebody who did it', () => {
    const short = `version: 1
format: jsonl
columns: { time: { column: ts }, event: { always: Opened }, device: browser }
`
    expect(read(short)).toMatchObject({
      replace: 'day',
      columns: { time: { format: 'iso', zone: 'UTC' }, groups: {} },
      properties: 'all',
    })
  })

  it.each([
    { name: 'nobody', from: '  user: member\n', to: '', want: /:5:1: columns\.user: give user or/ },
    {
      name: 'a zone that is none',
      from: 'Europe/Berlin',
      to: 'Europe/Berlyn',
      want: /:6:45: columns\.time\.zone: write an IANA time zone/,
    },
    {
      name: 'a pattern that is none',
      from: '%d.%m.%Y',
      to: '%d.%m.%Q',
      want: /:6:25: columns\.time\.format: write iso, epoch-s/,
    },
    {
      name: 'an event that is two things',
      from: '{ column: action }',
      to: '{ column: action, always: x }',
      want: /:7:3: columns\.event: give either column/,
    },
    {
      name: 'a quote between columns',
      from: 'delimiter: ;',
      to: `delimiter: '"'`,
      want: /:3:1: delimiter: a quote or the end of a line/,
    },
    { name: 'a typing error', from: 'user:', to: 'usr:', want: /columns\.usr: unknown field/ },
    {
      name: 'a column that no JSONPath can hold',
      from: 'user: member',
      to: `user: 'a"b'`,
      want: /:8:3: columns\.user: write the name of a column, without "/,
    },
  ])('with $name is refused where it stands', ({ from, to, want }) => {
    expect(source).toContain(from)
    expect(problemOf(source.replace(from, to))).toMatch(want)
  })

  it.each(['amplitude', 'mixpanel', 'email', 'all', 'Log', '9-lives', 'a_b', 'x-rollup'])(
    'cannot be named %s',
    (name) => {
      expect(sourceNameProblem(name)).toContain(name)
    },
  )

  it('may be named like a file', () => {
    expect(sourceNameProblem('app-log2')).toBeNull()
  })
})
