import { describe, expect, it } from '@jest/globals'
import { z } from 'zod'
import { crmMappingSchema, salesforceMappingSchema } from '../../src/core/mapping/crm-mapping.ts'
import { identityMappingSchema } from '../../src/core/mapping/identity-mapping.ts'
import { type MappingFiles, parseMappingSet } from '../../src/core/mapping/mapping-set.ts'
import { type Model, modelSchema } from '../../src/core/mapping/model.ts'
import { sourceMappingSchema } from '../../src/core/mapping/source-mapping.ts'
import { traitsMappingSchema } from '../../src/core/mapping/traits-mapping.ts'
import { usageMappingSchema } from '../../src/core/mapping/usage-mapping.ts'
import { renderTask, type TaskStory } from '../../src/core/playbook/task-story.ts'
import type { Member } from '../../src/core/scoring/features.ts'
import { createScorer } from '../../src/core/scoring/scorer.ts'
import { codeBlocks, codeSpans, readPage, section, tableRows } from '../support/doc-pages.ts'
import { featuresOf, memberOf, NOW, seen } from '../support/features.ts'
import { kept, MODEL_FILES } from '../support/shipped-models.ts'

const PAGE = 'docs/mappings.md'
const FILES = [
  { heading: '## usage.yaml', schema: usageMappingSchema },
  { heading: '## identity.yaml', schema: identityMappingSchema },
  { heading: '## models/*.yaml', schema: modelSchema },
  { heading: '## hubspot.yaml', schema: crmMappingSchema },
  { heading: '## sources/*.yaml', schema: sourceMappingSchema },
  { heading: '## traits.yaml', schema: traitsMappingSchema },
]

/** Names of fields, and the words that a field may hold, anywhere in a schema. */
function namesIn(schema: unknown, fields: Set<string>, words: Set<string>): void {
  if (Array.isArray(schema)) for (const one of schema) namesIn(one, fields, words)
  if (typeof schema !== 'object' || schema === null || Array.isArray(schema)) return
  const { properties, enum: choices, const: only, ...rest } = schema as Record<string, unknown>
  for (const name of Object.keys(properties ?? {})) fields.add(name)
  for (const word of [choices, only].flat()) if (typeof word === 'string') words.add(word)
  for (const inner of Object.values({ ...rest, ...(properties ?? {}) })) {
    namesIn(inner, fields, words)
  }
}

async function exampleFiles(): Promise<MappingFiles> {
  const blocks = codeBlocks(await readPage(PAGE), 'yaml')
  return Object.fromEntries(blocks.map((text) => [/^# (\S+)\n/.exec(text)?.[1] ?? '', text]))
}

async function exampleModel(id: string): Promise<Model> {
  const model = parseMappingSet(await exampleFiles()).models.get(id)
  if (!model) throw new Error(`there is no example ${id}`)
  return model
}

describe.each(FILES)('$heading', ({ heading, schema }) => {
  const fields = new Set<string>()
  const words = new Set<string>()
  namesIn(z.toJSONSchema(schema, { io: 'input' }), fields, words)

  it('explains every field of the schema and no other', async () => {
    const rows = tableRows(section(await readPage(PAGE), heading), 'field')
    const told = rows.filter((row) => !['both', 'person', 'account'].includes(row[1] ?? ''))
    const named = new Set(told.flatMap(([name]) => codeSpans(name ?? '')))
    expect([...named].sort()).toEqual([...fields].sort())
  })

  it('names every word that a field may hold', async () => {
    const told = new Set(codeSpans(section(await readPage(PAGE), heading)))
    expect([...words].filter((word) => !told.has(word))).toEqual([])
  })
})

describe('## salesforce.yaml', () => {
  it('explains every field that hubspot.yaml has not, with its words', async () => {
    const [fields, words] = [new Set<string>(), new Set<string>()]
    const [known, same] = [new Set<string>(), new Set<string>()]
    const input = { io: 'input', unrepresentable: 'any' } as const
    namesIn(z.toJSONSchema(salesforceMappingSchema, input), fields, words)
    namesIn(z.toJSONSchema(crmMappingSchema, input), known, same)
    const text = section(await readPage(PAGE), '## salesforce.yaml')
    const told = tableRows(text, 'field').flatMap(([name]) => codeSpans(name ?? ''))
    expect(told.sort()).toEqual([...fields].filter((name) => !known.has(name)).sort())
    const own = [...words].filter((word) => !same.has(word))
    expect(own.filter((word) => !codeSpans(text).includes(word))).toEqual([])
  })
})

describe('presets', () => {
  it('are told, each by its file', async () => {
    const rows = tableRows(section(await readPage(PAGE), '## models/*.yaml'), 'preset')
    const told = rows.flatMap(([name]) => codeSpans(name ?? '')).map((name) => `presets/${name}`)
    expect(told.sort()).toEqual(MODEL_FILES.filter((name) => name.startsWith('presets/')))
  })
})

describe('the examples', () => {
  it('are one mapping folder that is accepted', async () => {
    const set = parseMappingSet(await exampleFiles())
    expect([...set.models.keys()].sort()).toEqual(['accounts', 'people'])
    expect([...set.crms.keys()]).toEqual(['hubspot'])
  })

  const did = { board: seen(1), regular: seen(30, 4), invites: seen(3) }
  it.each([
    { kind: 'business', want: { score: 80, grade: 'A', usageStatus: 'qualified' } },
    { kind: 'free', want: { score: 60, grade: 'B', usageStatus: 'qualified' } },
    { kind: 'disposable', want: { score: 0, usageStatus: 'nurture' } },
  ])('give the points that the text tells for a $kind address', async ({ kind, want }) => {
    const scorer = createScorer(await exampleModel('people'), [])
    const features = featuresOf(scorer, did, { traits: { email_kind: [kind] } })
    expect(scorer.score(features, null, NOW)).toMatchObject(want)
  })

  it('qualify who asks for a call, whatever the score', async () => {
    const scorer = createScorer(await exampleModel('people'), [])
    const asked = scorer.score(featuresOf(scorer, { asked: seen(1) }), null, NOW)
    expect(asked).toMatchObject({ score: 0, usageStatus: 'qualified' })
  })

  const qualified = { qualified: true }
  it.each<{ people: readonly Member[]; want: object }>([
    {
      people: [memberOf('a', 2, qualified), memberOf('b', 2), memberOf('c', 5)],
      want: { score: 60, usageStatus: 'qualified' },
    },
    {
      people: [memberOf('a', 2, qualified), memberOf('b', 2, qualified), memberOf('c', 1)],
      want: { score: 75, usageStatus: 'assist' },
    },
  ])('qualify an account as the text tells: $want', async ({ people, want }) => {
    const scorer = createScorer(await exampleModel('accounts'), [])
    const features = featuresOf(scorer, { 'limit-near': kept(90) }, { members: people })
    expect(scorer.score(features, null, NOW)).toMatchObject(want)
  })
})

describe('templates', () => {
  const person = { email: 'ada@acme.example', score: 70, did: ['Created a board'] }
  const story: TaskStory = {
    account: { name: 'Acme', domain: 'acme.example' },
    score: 85,
    grade: 'A',
    trend: 'rising',
    summary: 'qualified, 85 of 100, rising',
    reasons: ['+40 Active people'],
    active_users: 4,
    qualified_users: 2,
    champion: person,
    others: [person],
    deal: {
      name: 'Team plan',
      stage: 'Contract sent',
      amount: 1200,
      currency: 'EUR',
      since: '2026-01-31',
    },
    playbook: 'Account qualified',
    happened: 'became qualified on 2026-11-20',
    changed: '+10 active people',
    explanation: '+40 Active people',
    fit: ['Uses a business address'],
    person,
    link: 'https://ripen.example/accounts/7',
  }

  it('may use every variable that is told, and every one there is is told', async () => {
    const rows = tableRows(section(await readPage(PAGE), '## hubspot.yaml'), 'variable')
    const variables = rows.flatMap(([name]) => codeSpans(name ?? ''))
    const heads = variables.map((name) => name.split('.')[0])
    expect([...new Set(heads)].sort()).toEqual(Object.keys(story).sort())
    for (const name of variables) {
      const { body } = await renderTask({ subject: 'x', body: `{{ ${name} }}` }, story)
      expect({ name, body }).toEqual({ name, body: expect.stringMatching(/\S/) })
    }
  })

  it('of the example render with and without a champion', async () => {
    const { tasks } = parseMappingSet(await exampleFiles()).crms.get('hubspot') ?? {}
    if (!tasks) throw new Error('the example has no tasks')
    const full = await renderTask(tasks, story)
    expect(full.subject).toBe('Acme: 4 people build together')
    expect(full.body).toContain('Whom to call first: ada@acme.example\n- Created a board')
    const alone = await renderTask(tasks, { ...story, champion: null, others: [] })
    expect(alone.body).toBe('qualified, 85 of 100, rising')
  })
})
