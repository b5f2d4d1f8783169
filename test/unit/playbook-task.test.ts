import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from '@jest/globals'
import { ConfigError } from '../../src/core/errors.ts'
import { crmMappingSchema } from '../../src/core/mapping/crm-mapping.ts'
import { parseYaml } from '../../src/core/mapping/parse-yaml.ts'
import { isFresh, renderTask, type TaskStory } from '../../src/core/playbook/task-story.ts'

const story: TaskStory = {
  account: { name: 'Acme', domain: 'acme.com' },
  score: 70,
  grade: 'B',
  trend: 'rising',
  summary: 'qualified, 70 of 100, rising: active people',
  reasons: ['+40 Active people', '+30 Qualified people'],
  active_users: 3,
  qualified_users: 1,
  champion: { email: 'ann@acme.com', score: 70, did: ['Reached activation (on 2026-11-20)'] },
  others: [
    { email: 'bob@acme.com', score: 20, did: [] },
    { email: 'cyd@acme.com', score: 10, did: ['Invited colleagues (2 times)', 'Ran a query'] },
  ],
  deal: null,
  playbook: 'Account qualified',
  happened: 'became qualified on 2026-11-20',
  changed: '+10 active people',
  explanation: '+40 Active people\n+30 Qualified people',
  fit: [],
  person: null,
  link: '',
}
const render = (template: Partial<{ subject: string; body: string }>, given = story) =>
  renderTask({ subject: 'S', body: 'B', ...template }, given)

describe('a task', () => {
  it('tells what the template asks for', async () => {
    const task = await render({
      subject: '{{ account.name }} ({{ score }})',
      body: '{% for r in reasons %}{{ r }};{% endfor %}',
    })
    expect(task).toEqual({ subject: 'Acme (70)', body: '+40 Active people;+30 Qualified people;' })
  })

  it('has a subject of one line and 255 characters at most', async () => {
    expect((await render({ subject: ' a\n\n b\t c ' })).subject).toBe('a b c')
    expect((await render({ subject: 'x'.repeat(255) })).subject).toBe('x'.repeat(255))
    expect((await render({ subject: 'x'.repeat(256) })).subject).toHaveLength(255)
  })

  it('has a subject that never ends in half a character', async () => {
    const name = `${'x'.repeat(254)}😀`
    const { subject } = await render(
      { subject: '{{ account.name }}' },
      { ...story, account: { name, domain: 'acme.com' } },
    )
    expect(subject).toBe('x'.repeat(254))
  })

  it('has a body without gaps at its ends or of more than one empty line', async () => {
    expect((await render({ body: '\n\n a\n\n\n\nb\nc\n\n' })).body).toBe('a\n\nb\nc')
  })

  it('takes a name for text, whatever stands in it', async () => {
    const name = '{{ score }} <b>&</b>'
    const { body } = await render(
      { body: '{{ account.name }}' },
      { ...story, account: { name, domain: 'acme.com' } },
    )
    expect(body).toBe(name)
  })

  it.each([
    {
      name: 'a variable that does not exist',
      template: { body: 'Hello\n{{ champoin.email }}' },
      want: /^tasks\.body: .*champoin.*line:2.*; correct the template$/,
    },
    {
      name: 'a property that does not exist',
      template: { subject: '{{ account.nam }}' },
      want: /^tasks\.subject: .*account\.nam.*; correct the template$/,
    },
    {
      name: 'a filter that does not exist',
      template: { body: '{{ score | rounded }}' },
      want: /^tasks\.body: .*rounded.*; correct the template$/,
    },
    {
      name: 'a tag that is not closed',
      template: { body: '{% if champion %}x' },
      want: /^tasks\.body: .*if champion.*; correct the template$/,
    },
  ])('with $name is a fault of the mapping that names the template', async ({ template, want }) => {
    const failure = await render(template).catch((error: unknown) => error)
    expect(failure).toBeInstanceOf(ConfigError)
    expect((failure as ConfigError).message).toMatch(want)
  })
})

describe('the task that is shipped', () => {
  const path = join(import.meta.dirname, '../../mappings/hubspot.yaml')
  const { tasks } = parseYaml(readFileSync(path, 'utf8'), 'hubspot.yaml', crmMappingSchema)
  const shipped = { subject: tasks?.subject ?? '', body: tasks?.body ?? '' }

  it('names the company, whom to call, what she did and who else is active', async () => {
    const { subject, body } = await renderTask(shipped, story)
    expect(subject).toContain('Acme')
    for (const said of ['ann@acme.com', 'Reached activation', 'bob@acme.com', 'cyd@acme.com']) {
      expect(body).toContain(said)
    }
    expect(body).toContain('+40 Active people')
    expect(body).not.toMatch(/signed up|undefined|\n\n\n/)
  })

  it('reads well for a company without a champion', async () => {
    const { body } = await renderTask(shipped, { ...story, champion: null, others: [] })
    expect(body).not.toMatch(/call first|Also active|undefined|null|\n\n\n/)
  })
})

describe('behaviour', () => {
  const now = new Date('2026-11-21T10:00:00Z')
  const day = 86_400_000
  it.each([
    { name: 'of this minute is fresh', at: '2026-11-21T09:59:00Z', fresh: true },
    { name: 'of just a day ago is fresh', at: '2026-11-20T10:00:00Z', fresh: true },
    { name: 'older than a day is not', at: '2026-11-20T09:59:59.999Z', fresh: false },
    { name: 'of a clock that is ahead is fresh', at: '2026-11-21T10:00:05Z', fresh: true },
    { name: 'without a date is not', at: null, fresh: false },
    { name: 'of no date is not', at: 'soon', fresh: false },
  ])('$name', ({ at, fresh }) => {
    expect(isFresh(at, day, now)).toBe(fresh)
  })
})
