import { describe, expect, it } from '@jest/globals'
import { ConfigError } from '../../src/core/errors.ts'
import { parseMappingSet } from '../../src/core/mapping/mapping-set.ts'
import { readTraitRow, type TraitRow } from '../../src/core/mapping/trait-row.ts'
import type { TraitFile } from '../../src/core/mapping/traits-mapping.ts'
import { TRAIT_FILES } from '../support/traits-files.ts'

/** The problems of the folder with one text of one file replaced. */
function problemsOf(file: string, from: string, to: string): string[] {
  const text = TRAIT_FILES[file] ?? ''
  expect(text).toContain(from)
  try {
    parseMappingSet({ ...TRAIT_FILES, [file]: text.replace(from, to) })
  } catch (error) {
    expect(error).toBeInstanceOf(ConfigError)
    return (error as ConfigError).message.split('\n')
  }
  return []
}

/** Line and column of a text in the file as it is after the replacement. */
function placeOf(file: string, from: string, to: string, what: string): string {
  const before = (TRAIT_FILES[file] ?? '').replace(from, to)
  const lines = before.slice(0, before.indexOf(what)).split('\n')
  return `${file}:${lines.length}:${(lines.at(-1)?.length ?? 0) + 1}`
}

describe('where traits come from', () => {
  it('is usage, CRMs and files, and models may read them all', () => {
    const traits = ['plan', 'job_title', 'head_count', 'seniority', 'segment', 'email_kind']
    const signals = traits.map((trait) => `  - { id: x, label: x, trait: ${trait}, exists: true }`)
    for (const signal of signals) {
      const to = `signals:\n${signal.replace(' }', ', points: 60 }')}\n`
      expect(problemsOf('models/people.yaml', 'signals:\n', to)).toEqual([])
    }
    const to = 'signals:\n  - { id: x, label: x, trait: wealth, exists: true, points: 60 }\n'
    expect(problemsOf('models/people.yaml', 'signals:\n', to)[0]).toContain('wealth')
  })

  it.each([
    {
      name: 'a property that Ripen writes',
      file: 'hubspot.yaml',
      from: 'read: { job_title: jobtitle }',
      to: 'read: { job_title: pql_score }',
      at: 'job_title: pql_score',
      says: 'objects.contact.read.job_title: pql_score is written by Ripen itself',
    },
    {
      name: 'its own key',
      file: 'hubspot.yaml',
      from: 'industry: industry',
      to: 'industry: pqa_account_id',
      at: 'industry: pqa_account_id',
      says: 'objects.company.read.industry: pqa_account_id is written by Ripen itself',
    },
    {
      name: 'what it sets on records that it creates',
      file: 'hubspot.yaml',
      from: 'industry: industry',
      to: 'industry: name',
      at: 'industry: name',
      says: 'objects.company.read.industry: name is written by Ripen itself',
    },
    {
      name: 'a sales status that Ripen writes',
      file: 'hubspot.yaml',
      from: 'property: hs_lead_status',
      to: 'property: pql_score',
      at: 'property: pql_score\n      values',
      says: 'objects.contact.sales-status.property: pql_score is written by Ripen itself',
    },
    {
      name: 'a trait of usage under the same name',
      file: 'hubspot.yaml',
      from: 'job_title: jobtitle',
      to: 'plan: jobtitle',
      at: 'plan: jobtitle',
      says: 'objects.contact.read.plan: plan is declared in usage.yaml too; rename one of them',
    },
    {
      name: 'a trait of the CRM under the same name',
      file: 'traits.yaml',
      from: 'segment: Segment',
      to: 'industry: Segment',
      at: 'industry: Segment',
      says: 'files.companies.traits.industry: industry is declared in hubspot.yaml too',
    },
    {
      name: 'a trait of another file under the same name',
      file: 'traits.yaml',
      from: 'segment: Segment',
      to: 'team: Segment',
      at: 'team: Segment',
      says: 'files.companies.traits.team: team is declared in traits.yaml under people too',
    },
    {
      name: 'the name that is always there',
      file: 'traits.yaml',
      from: 'segment: Segment',
      to: 'email_kind: Segment',
      at: 'email_kind: Segment',
      says: 'files.companies.traits.email_kind: email_kind is always there',
    },
    {
      name: 'a value that means two things',
      file: 'hubspot.yaml',
      from: 'accepted: [CONNECTED]',
      to: 'accepted: [UNQUALIFIED]',
      at: 'UNQUALIFIED, BAD_TIMING',
      says: 'objects.contact.sales-status.values.rejected.0: UNQUALIFIED means accepted already',
    },
    {
      name: 'an id of no kind',
      file: 'traits.yaml',
      from: 'is: amplitude/u',
      to: 'is: phone',
      at: 'is: phone',
      says: 'files.history.id.is: write email, domain, or the kind of id',
    },
  ])('refuses $name, with line and column', ({ file, from, to, at, says }) => {
    const problems = problemsOf(file, from, to)
    expect(problems).toHaveLength(1)
    expect(problems[0]).toContain(`${placeOf(file, from, to, at)}: ${says}`)
  })

  it('may be one name for contacts and for their companies', () => {
    expect(problemsOf('hubspot.yaml', 'industry: industry', 'job_title: industry')).toEqual([])
  })
})

describe('a line of a file of traits', () => {
  const file: TraitFile = {
    delimiter: ',',
    id: { column: 'Who', is: 'email' },
    date: { column: 'Since', format: 'iso', zone: 'UTC' },
    traits: { team: 'Team', level: 'Level' },
  }
  const row: TraitRow = { line: 7, id: ' Ann@Acme.com', toldAt: 1e12, told: ['Data', null] }
  const domainOf = (host: string) => (host === 'gmail.com' ? null : host)
  const read = (f: Partial<TraitFile>, r: Partial<TraitRow>) =>
    readTraitRow({ ...file, ...f }, { ...row, ...r }, { domainOf })

  it('says what stands in it, and nothing where nothing stands', () => {
    const about = 'email/ann@acme.com'
    expect(read({}, {})).toEqual([{ line: 7, about, name: 'team', value: 'Data', toldAt: 1e12 }])
  })

  it.each([
    { is: 'domain', id: 'Acme.com', want: 'domain:acme.com' },
    { is: 'amplitude/u', id: 'U-7', want: 'amplitude/u:U-7' },
  ])('is about $want', ({ is, id, want }) => {
    expect(read({ id: { column: 'Who', is } }, { id })).toMatchObject([{ about: want }])
  })

  it.each([
    { name: 'lacks an id', r: { id: null }, f: {}, says: 'has nothing in Who' },
    { name: 'has no address', r: { id: 'ann' }, f: {}, says: 'holds no e-mail address in Who' },
    {
      name: "has no company's domain",
      r: { id: 'gmail.com' },
      f: { id: { column: 'Who', is: 'domain' } },
      says: "holds no company's own domain in Who",
    },
    {
      name: 'has no date',
      r: { toldAt: null },
      f: {},
      says: 'holds in Since no date of the format iso',
    },
    { name: 'has a date of another age', r: { toldAt: 1 }, f: {}, says: 'between 2000 and 2100' },
    {
      name: 'holds prose',
      r: { told: ['x'.repeat(501), null] },
      f: {},
      says: 'more than 500 characters in Team',
    },
  ])('is refused when it $name, and what it holds is not told', ({ r, f, says }) => {
    const problem = read(f, r)
    expect(problem).toContain(says)
    expect(problem).not.toContain('xxx')
  })
})
