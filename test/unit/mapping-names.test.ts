import { describe, expect, it } from '@jest/globals'
import { changed, placeIn, problemsOf, shipped } from '../support/shipped-mappings.ts'

/** A name that is used and not there; `at` is the text whose place is told, if it is not all of `to`. */
interface Unknown {
  readonly name: string
  readonly file: string
  readonly from: string
  readonly to: string
  readonly at?: string
  readonly want: RegExp
}

describe('a name that one file uses and another lacks is told with its file, line and column:', () => {
  const people = 'models/people.yaml'
  const expansion = 'models/expansion.yaml'
  it.each<Unknown>([
    {
      name: 'an action',
      file: people,
      from: 'action: api_key_created',
      to: 'action: api_key_made',
      want: /: signals\.2\.action: api_key_made is not declared in usage\.yaml; known are .*api_key_created, /,
    },
    {
      name: 'an action that is a word of JavaScript',
      file: people,
      from: 'action: api_key_created',
      to: 'action: constructor',
      want: /: signals\.2\.action: constructor is not declared/,
    },
    {
      name: 'one of several actions',
      file: expansion,
      from: 'report_exported',
      to: 'report_made',
      want: /: signals\.5\.actions\.1: report_made is not declared in usage\.yaml/,
    },
    {
      name: 'the end of a time',
      file: 'presets/thresholds.yaml',
      from: 'action: query_run',
      to: 'time-from: query_run, to: query_done',
      at: 'to: query_done',
      want: /: signals\.3\.to: query_done is not declared in usage\.yaml/,
    },
    {
      name: 'the event that is predicted',
      file: people,
      from: 'predicts: plan_upgraded',
      to: 'predicts: upgrade',
      want: /: predicts: upgrade is no action of usage\.yaml, nor opportunity or won; known are activated, /,
    },
    {
      name: 'an event to predict that is a word of JavaScript',
      file: people,
      from: 'predicts: plan_upgraded',
      to: 'predicts: constructor',
      want: /: predicts: constructor is no action/,
    },
    {
      name: 'a trait',
      file: people,
      from: 'trait: email_kind',
      to: 'trait: mail_kind',
      want: /: exclude\.0\.trait: no file declares the trait mail_kind; known are .*, email_kind, .*, plan, role, .*/,
    },
    {
      name: 'a trait of the population',
      file: expansion,
      from: 'trait: plan',
      to: 'trait: tariff',
      want: /: population\.0\.trait: no file declares the trait tariff/,
    },
    {
      name: 'a trait of a signal',
      file: 'presets/weighted.yaml',
      from: 'trait: company_size',
      to: 'trait: size',
      want: /: signals\.2\.trait: no file declares the trait size; .*; a preset is not run, so you may remove it$/,
    },
    {
      name: 'a trait that is a limit',
      file: expansion,
      from: 'limit: 100',
      to: 'limit: { trait: seats }',
      at: 'trait: seats',
      want: /: signals\.0\.limit\.trait: no file declares the trait seats/,
    },
    {
      name: 'an action that is a limit',
      file: expansion,
      from: 'limit: 100',
      to: 'limit: { action: seats }',
      at: 'action: seats',
      want: /: signals\.0\.limit\.action: seats is not declared in usage\.yaml/,
    },
    {
      name: 'a limit whose value is not kept',
      file: expansion,
      from: 'limit: 100',
      to: 'limit: { action: query_run }',
      at: 'action: query_run',
      want: /: signals\.0\.limit\.action: usage\.yaml keeps no last of query_run; add value: /,
    },
    {
      name: 'a value that is not kept',
      file: expansion,
      from: 'action: limit_80',
      to: 'action: query_run',
      want: /: signals\.0\.action: usage\.yaml keeps no last of query_run; add value: \{ of: event\.<property>, keep: \[last\] \} there$/,
    },
    {
      name: 'a value of which something else is kept',
      file: expansion,
      from: 'measure: ratio',
      to: 'measure: ratio\n    value: sum #',
      at: 'action: limit_80',
      want: /: signals\.0\.action: usage\.yaml keeps no sum of limit_80/,
    },
    {
      name: 'the model of people',
      file: 'models/accounts.yaml',
      from: 'people-model: people',
      to: 'people-model: persons',
      want: /: people-model: persons is no model of persons; known are expansion, people$/,
    },
    {
      name: 'a model of people that scores accounts',
      file: 'models/accounts.yaml',
      from: 'people-model: people',
      to: 'people-model: accounts',
      want: /: people-model: accounts is no model of persons; known are expansion, people$/,
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
      to: 'model: expansion',
      want: /: objects\.company\.model: expansion is no model of accounts; known are accounts$/,
    },
    {
      name: 'one of the models of a CRM object',
      file: 'hubspot.yaml',
      from: 'model: people',
      to: 'model: [people, growth]',
      at: 'growth',
      want: /: objects\.contact\.model\.1: growth is no model of persons; known are expansion, people$/,
    },
    {
      name: 'one of the models of a CRM object, in a list of one',
      file: 'hubspot.yaml',
      from: 'model: people',
      to: 'model: [growth]',
      want: /: objects\.contact\.model: growth is no model of persons/,
    },
  ])('$name', ({ file, from, to, want, at = to }: Unknown) => {
    const files = changed(file, from, to)
    const problems = problemsOf(files)
    expect(problems).toEqual([expect.stringMatching(want)])
    expect(problems[0]).toContain(`${file}:${placeIn(files[file] ?? '', at)}: `)
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

  it('email_kind is always known, though no file declares it', () => {
    const files = shipped()
    expect(files['usage.yaml']).not.toContain('email_kind')
    expect(files['models/people.yaml']).toContain('trait: email_kind')
    expect(problemsOf(files)).toEqual([])
  })

  it('the word core needs an action that is core', () => {
    const files = shipped()
    const usage = files['usage.yaml']?.replaceAll('core: true', 'core: false') ?? ''
    expect(problemsOf({ ...files, 'usage.yaml': usage })).toEqual([
      expect.stringMatching(
        /^presets\/weighted\.yaml:\d+:5: signals\.3\.actions: no action of usage\.yaml is core: true/,
      ),
    ])
  })
})
