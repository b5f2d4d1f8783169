import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from '@jest/globals'
import { ConfigError } from '../../src/core/errors.ts'
import type { ObjectMapping } from '../../src/core/mapping/crm-mapping.ts'
import { type MappingFiles, parseMappingSet } from '../../src/core/mapping/mapping-set.ts'
import { SALES_STATUSES, USAGE_STATUSES } from '../../src/core/scoring/status.ts'

type Property = ObjectMapping['properties'][string]

const folder = join(import.meta.dirname, '../../mappings')

function shipped(): Record<string, string> {
  const names = readdirSync(folder, { recursive: true, encoding: 'utf8' })
  return Object.fromEntries(
    names
      .filter((name) => name.endsWith('.yaml'))
      .map((name) => [name.replaceAll('\\', '/'), readFileSync(join(folder, name), 'utf8')]),
  )
}

/** The shipped files with one text of one file replaced. */
function changed(file: string, from: string, to: string): MappingFiles {
  const files = shipped()
  const text = files[file] ?? ''
  expect(text).toContain(from)
  return { ...files, [file]: text.replace(from, to) }
}

function problemsOf(files: MappingFiles): string[] {
  try {
    parseMappingSet(files)
  } catch (error) {
    expect(error).toBeInstanceOf(ConfigError)
    return (error as ConfigError).message.split('\n')
  }
  return []
}

/** Line and column of a text, for files that people edit. */
function placeOf(file: string, text: string): string {
  const before = (shipped()[file] ?? '').split(text)[0] ?? ''
  const lines = before.split('\n')
  return `${lines.length}:${(lines.at(-1) ?? '').length + 1}`
}

describe('the mappings that are shipped', () => {
  it('parse, and name two models and one CRM', () => {
    const set = parseMappingSet(shipped())
    expect([...set.models.keys()].sort()).toEqual(['accounts', 'people'])
    expect([...set.crms.keys()]).toEqual(['hubspot'])
    expect(Object.keys(set.usage.actions)).toContain('activated')
  })

  it('offer every status that a record can have', () => {
    const objects = parseMappingSet(shipped()).crms.get('hubspot')?.objects
    for (const object of [objects?.contact, objects?.company]) {
      const properties: readonly Property[] = Object.values(object?.properties ?? {})
      for (const property of properties) {
        const offered = property.options?.map((option) => option.value)
        if (property.from === 'usage_status') expect(offered).toEqual(USAGE_STATUSES)
        if (property.from === 'sales_status') expect(offered).toEqual(SALES_STATUSES)
        if (property.from === 'trend') {
          expect(offered).toEqual(['rising', 'steady', 'falling', 'quiet'])
        }
      }
    }
  })
})

describe('a mapping folder', () => {
  it('without usage.yaml is refused by that name', () => {
    const { 'usage.yaml': _, ...rest } = shipped()
    expect(problemsOf(rest)).toEqual(['usage.yaml is missing in the mapping folder'])
  })

  it('lists what is wrong in all of its files together', () => {
    const files = {
      ...changed('usage.yaml', 'family: activation', 'family: value'),
      'models/people.yaml': changed('models/people.yaml', 'exit: 40', 'exit: 50')[
        'models/people.yaml'
      ] as string,
    }
    expect(problemsOf(files)).toEqual([
      expect.stringMatching(/^usage\.yaml:\d+:\d+: actions\.activated\.family/),
      expect.stringMatching(/^models\/people\.yaml:\d+:\d+: status\.exit/),
    ])
  })

  it('with two models of one name is refused, naming both files', () => {
    const files = shipped()
    const copy = { ...files, 'models/people-copy.yaml': files['models/people.yaml'] as string }
    expect(problemsOf(copy)).toEqual([
      `models/people-copy.yaml:${placeOf('models/people.yaml', 'id: people')}: id: people is the id of models/people.yaml too; give each model its own`,
    ])
  })
})

describe('a name that one file uses and another lacks is told with its file, line and column:', () => {
  it.each([
    {
      name: 'an action',
      file: 'models/people.yaml',
      from: 'action: api_key_created',
      to: 'action: api_key_made',
      want: /: signals\.2\.action: api_key_made is not declared in usage\.yaml; known are .*api_key_created, /,
    },
    {
      name: 'an action that is a word of JavaScript',
      file: 'models/people.yaml',
      from: 'action: api_key_created',
      to: 'action: constructor',
      want: /: signals\.2\.action: constructor is not declared/,
    },
    {
      name: 'a trait',
      file: 'models/people.yaml',
      from: 'trait: email_kind',
      to: 'trait: mail_kind',
      want: /: signals\.5\.trait: mail_kind is not declared in usage\.yaml; known are email_kind, plan, role$/,
    },
    {
      name: 'the model of people',
      file: 'models/accounts.yaml',
      from: 'people-model: people',
      to: 'people-model: persons',
      want: /: people-model: persons is no model of persons; known are people$/,
    },
    {
      name: 'a model of people that scores accounts',
      file: 'models/accounts.yaml',
      from: 'people-model: people',
      to: 'people-model: accounts',
      want: /: people-model: accounts is no model of persons; known are people$/,
    },
    {
      name: 'the model of a CRM object',
      file: 'hubspot.yaml',
      from: 'model: accounts',
      to: 'model: companies',
      want: /: objects\.company\.model: companies is no model of accounts; known are accounts$/,
    },
    {
      name: 'the model of a CRM object that scores something else',
      file: 'hubspot.yaml',
      from: 'model: accounts',
      to: 'model: people',
      want: /: objects\.company\.model: people is no model of accounts; known are accounts$/,
    },
  ])('$name', ({ file, from, to, want }) => {
    const problems = problemsOf(changed(file, from, to))
    expect(problems).toHaveLength(1)
    expect(problems[0]).toMatch(want)
    expect(problems[0]?.startsWith(`${file}:${placeOf(file, from)}: `)).toBe(true)
  })

  it('all of them together', () => {
    const files = {
      ...changed('models/people.yaml', 'action: activated', 'action: nothing'),
      'hubspot.yaml': changed('hubspot.yaml', 'model: people', 'model: nobody')[
        'hubspot.yaml'
      ] as string,
    }
    expect(problemsOf(files)).toHaveLength(2)
  })

  it('email_kind is always known', () => {
    const usage = changed('usage.yaml', 'traits:', 'traits: {} #')['usage.yaml'] ?? ''
    const files = { ...shipped(), 'usage.yaml': usage.replace(/\n {2}(plan|role):.*/g, '') }
    expect(problemsOf(files)).toEqual([])
  })
})
