import { describe, expect, it } from '@jest/globals'
import { ConfigError } from '../../src/core/errors.ts'
import { crmMappingSchema } from '../../src/core/mapping/crm-mapping.ts'
import { parseYaml } from '../../src/core/mapping/parse-yaml.ts'

const mapping = `version: 1
objects:
  contact:
    subject: person
    model: people
    key: { property: pql_id, label: PQL id }
    create: qualified
    on-create: { email: email }
    group: { name: pql, label: PQL }
    properties:
      pql_score: { from: score, type: number, label: PQL score }
      pql_trend:
        from: trend
        type: enumeration
        label: PQL trend
        options: [{ value: rising, label: Rising }]
tasks:
  on: account-qualified
  evidence-within: 24h
  due-in: 4h
  priority: high
  subject: "{{ account.name }}"
  body: Hello
`
const read = (text: string) => parseYaml(text, 'hubspot.yaml', crmMappingSchema)

function problemsOf(text: string): string[] {
  try {
    read(text)
  } catch (error) {
    expect(error).toBeInstanceOf(ConfigError)
    return (error as ConfigError).message.split('\n')
  }
  return []
}

describe('a CRM mapping', () => {
  it('is read with lengths of time in milliseconds', () => {
    const { objects, tasks } = read(mapping)
    expect(tasks).toMatchObject({ 'evidence-within': 86_400_000, 'due-in': 14_400_000 })
    expect(objects.contact?.['on-create']).toEqual({ email: 'email' })
    expect(objects.company).toBeUndefined()
  })

  it.each([
    {
      name: 'a field that persons lack',
      text: mapping.replace('from: score', 'from: active_users'),
      want: [/^hubspot\.yaml:11:20: objects\.contact\.properties\.pql_score\.from: .*"score"/],
    },
    {
      name: 'a property name that HubSpot refuses',
      text: mapping.replace('pql_score:', 'PQL-score:'),
      want: [
        /^hubspot\.yaml:11:7: objects\.contact\.properties\.PQL-score: .*HubSpot property name/,
      ],
    },
    {
      name: 'a list of options that is missing',
      text: mapping.replace(/\n {8}options.*/, ''),
      want: [
        /^hubspot\.yaml:12:7: objects\.contact\.properties\.pql_trend\.options: .*enumeration/,
      ],
    },
    {
      name: 'a contact that is said to be an account',
      text: mapping.replace('subject: person', 'subject: account'),
      want: [/^hubspot\.yaml:4:5: objects\.contact\.subject: .*expected "person"/],
    },
    {
      name: 'a time without a unit',
      text: mapping.replace('due-in: 4h', 'due-in: 4'),
      want: [/^hubspot\.yaml:20:3: tasks\.due-in: /],
    },
    {
      name: 'a fallback owner that is no address',
      text: mapping.replace('  priority: high', '  priority: high\n  fallback-owner: Jane'),
      want: [/^hubspot\.yaml:22:3: tasks\.fallback-owner: .*email/],
    },
    {
      name: 'an object that Ripen does not write',
      text: mapping.replace('  contact:', '  deal: {}\n  contact:'),
      want: [/^hubspot\.yaml:3:3: objects\.deal: unknown field/],
    },
  ])('$name is refused where it stands', ({ text, want }) => {
    const problems = problemsOf(text)
    expect(problems).toHaveLength(want.length)
    want.forEach((pattern, index) => {
      expect(problems[index]).toMatch(pattern)
    })
  })
})
