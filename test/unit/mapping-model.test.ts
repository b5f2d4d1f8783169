import { describe, expect, it } from '@jest/globals'
import { parse, stringify } from 'yaml'
import { ConfigError } from '../../src/core/errors.ts'
import { modelSchema, mostPoints } from '../../src/core/mapping/model.ts'
import { parseYaml } from '../../src/core/mapping/parse-yaml.ts'

const person = `id: people
version: 1
subject: person
kind: conversion
predicts: plan_upgraded
window: 30d
signals:
  - { id: activated, label: Activated, action: activated, points: 30 }
  - { id: invited, label: Invited, action: invited, points: 20, per: occurrence, max: 40 }
status: { enter: 50, exit: 40, assist: 25, new-for: 7d, stale-after: 45d }
bands:
  - { grade: D, from: 0 }
  - { grade: A, from: 80 }
`
const account = person
  .replace('id: people', 'id: accounts')
  .replace('subject: person', 'subject: account\npeople-model: people')
  .replace(
    /signals:\n.*\n/,
    'signals:\n  - { id: team, label: Team, people: active, points: 20, max: 40 }\n',
  )

const read = (text: string) => parseYaml(text, 'models/m.yaml', modelSchema)

function problemsOf(text: string): string[] {
  try {
    read(text)
  } catch (error) {
    expect(error).toBeInstanceOf(ConfigError)
    return (error as ConfigError).message.split('\n')
  }
  return []
}

describe('a scoring model', () => {
  it('is read with days, signals that count once, and people who are active after a day', () => {
    const model = read(person)
    expect(model.window).toBe(30)
    expect(model.status).toEqual({
      enter: 50,
      exit: 40,
      assist: 25,
      'new-for': 7,
      'stale-after': 45,
    })
    expect(model['active-days']).toBe(1)
    expect(model.signals[0]).toMatchObject({ per: 'once', 'at-least': 1 })
  })

  it('of accounts counts people', () => {
    expect(read(account).signals[0]).toMatchObject({ people: 'active', max: 40 })
  })

  it('may call a signal as any action may be called', () => {
    expect(problemsOf(person.replace('action: invited', 'action: to_string'))).toEqual([])
  })
})

describe('a model that cannot work is refused where it is wrong:', () => {
  it.each([
    {
      name: 'a signal id that is given twice',
      text: person.replace('id: invited', 'id: activated'),
      want: [/^models\/m\.yaml:9:7: signals\.1\.id: signal activated is given twice$/],
    },
    {
      name: 'the signal id that explains the clamp',
      text: person.replace('id: invited', 'id: limit'),
      want: [/^models\/m\.yaml:9:7: signals\.1\.id: limit is a reserved id$/],
    },
    {
      name: 'a signal for each occurrence without a bound',
      text: person.replace(', max: 40', ''),
      want: [/^models\/m\.yaml:9:5: signals\.1\.max: .*needs max/],
    },
    {
      name: 'a signal for each active day without a bound',
      text: person.replace('per: occurrence, max: 40', 'per: active-day'),
      want: [/^models\/m\.yaml:9:5: signals\.1\.max: .*needs max/],
    },
    {
      name: 'an exit at enter',
      text: person.replace('exit: 40', 'exit: 50'),
      want: [/^models\/m\.yaml:10:22: status\.exit: exit must lie below enter$/],
    },
    {
      name: 'an exit above enter',
      text: person.replace('exit: 40', 'exit: 60'),
      want: [/status\.exit: exit must lie below enter$/],
    },
    {
      name: 'an assist above exit',
      text: person.replace('assist: 25', 'assist: 41'),
      want: [/^models\/m\.yaml:10:32: status\.assist: assist must not lie above exit/],
    },
    {
      name: 'a threshold that nobody can reach',
      text: person.replace('enter: 50', 'enter: 71'),
      want: [/^models\/m\.yaml:10:11: status\.enter: nobody can qualify: .* 70 points/],
    },
    {
      name: 'bands that do not start at 0',
      text: person.replace('from: 0', 'from: 1'),
      want: [/^models\/m\.yaml:12:17: bands\.0\.from: the first band starts at 0$/],
    },
    {
      name: 'bands that do not rise',
      text: person.replace('from: 80', 'from: 0'),
      want: [/^models\/m\.yaml:13:17: bands\.1\.from: bands must rise$/],
    },
    {
      name: 'people counted for a person',
      text: account
        .replace('subject: account\npeople-model: people', 'subject: person')
        .replace('enter: 50', 'enter: 45'),
      want: [/^models\/m\.yaml:8:30: signals\.0\.people: .*subject is account/],
    },
    {
      name: 'an account model that does not say who is qualified',
      text: account.replace('people-model: people\n', ''),
      want: [/^models\/m\.yaml:1:1: people-model: .*names the model that scores its people$/],
    },
    {
      name: 'fractions of points',
      text: person.replace('points: 30', 'points: 2.5'),
      want: [/^models\/m\.yaml:8:59: signals\.0\.points: .*expected int/],
    },
    {
      name: 'points that are text',
      text: person.replace('points: 30', 'points: thirty'),
      want: [/^models\/m\.yaml:8:59: signals\.0\.points: .*expected number, received string$/],
    },
    {
      name: 'a window of hours',
      text: person.replace('window: 30d', 'window: 30h'),
      want: [/^models\/m\.yaml:6:1: window: write whole days, such as 30d$/],
    },
    {
      name: 'no signal',
      text: person.replace(/signals:\n.*\n.*\n/, 'signals: []\n'),
      want: [/^models\/m\.yaml:7:1: signals: .*>=1/, /status\.enter: nobody can qualify/],
    },
    {
      name: 'an id with capitals',
      text: person.replace('id: people', 'id: People'),
      want: [/^models\/m\.yaml:1:1: id: use lower-case letters, digits and -$/],
    },
    {
      name: 'a signal of no known form',
      text: person.replace('action: activated', 'event: activated'),
      want: [/^models\/m\.yaml:8:5: signals\.0\.action: missing/, /signals\.0\.event: unknown/],
    },
  ])('$name', ({ text, want }) => {
    const problems = problemsOf(text)
    for (const pattern of want) {
      expect(problems).toContainEqual(expect.stringMatching(pattern))
    }
    expect(problems).toHaveLength(want.length)
  })
})

describe('the reach of a model', () => {
  const withSignals = (signals: readonly unknown[], enter: number) => {
    const value = parse(person)
    value.signals = signals
    value.status.enter = enter
    return stringify(value)
  }
  const base = { label: 'L', action: 'a' }

  it.each([
    {
      name: 'counts what a signal takes away as nothing',
      points: -10,
      rest: { per: 'occurrence', max: 60 },
      reach: 30,
    },
    {
      name: 'counts a bound above what one occurrence gives as what it gives',
      points: 10,
      rest: { max: 60 },
      reach: 40,
    },
    {
      name: 'counts a bound below the points as the bound',
      points: 30,
      rest: { max: 20 },
      reach: 50,
    },
    {
      name: 'counts each occurrence up to its bound',
      points: 20,
      rest: { per: 'occurrence', max: 70 },
      reach: 100,
    },
  ])('$name', ({ points, rest, reach }) => {
    const signals = [
      { id: 'one', ...base, points: 30 },
      { id: 'two', ...base, points, ...rest },
    ]
    const status = { exit: 1, assist: 1 }
    const at = (enter: number) =>
      problemsOf(
        withSignals(signals, enter)
          .replace('exit: 40', `exit: ${status.exit}`)
          .replace('assist: 25', `assist: ${status.assist}`),
      )
    expect(at(reach)).toEqual([])
    if (reach < 100) expect(at(reach + 1)).toEqual([expect.stringMatching(/nobody can qualify/)])
  })

  it('of a trait is its points', () => {
    const signal = { id: 't', label: 'T', trait: 'plan', in: ['pro'], points: 12 }
    expect(mostPoints(signal)).toBe(12)
  })
})
