import { expect } from '@jest/globals'
import { ConfigError } from '../../src/core/errors.ts'
import { modelSchema } from '../../src/core/mapping/model.ts'
import { parseYaml } from '../../src/core/mapping/parse-yaml.ts'

/** A model of persons; its signals stand at the lines 8 and 9. */
export const person = `id: people
version: 1
subject: person
kind: conversion
predicts: won
window: 30d
signals:
  - { id: activated, label: Activated, action: activated, points: 30 }
  - { id: invited, label: Invited, action: invited, points: 20, per: 1, max: 40 }
status: { enter: 50, exit: 40, assist: 25, new-for: 7d, stale-after: 45d }
bands:
  - { grade: D, from: 0 }
  - { grade: A, from: 80 }
`
/** The same of accounts: a line more before the signals. */
export const account = person
  .replace('id: people', 'id: accounts')
  .replace('subject: person', 'subject: account\npeople-model: people')
  .replace(
    /signals:\n.*\n/,
    'signals:\n  - { id: team, label: Team, people: active, points: 20, per: 1, max: 40 }\n',
  )

/** Reads a model under the name `models/m.yaml`. */
export const read = (text: string) => parseYaml(text, 'models/m.yaml', modelSchema)

/** What is said of a wrong model, line by line; nothing of a right one. */
export function problemsOf(text: string): string[] {
  try {
    read(text)
  } catch (error) {
    expect(error).toBeInstanceOf(ConfigError)
    return (error as ConfigError).message.split('\n')
  }
  return []
}

/** A wrong model, and what is said of it. */
export interface Wrong {
  readonly name: string
  readonly text: string
  readonly want: readonly RegExp[]
}

/** Exactly what is wanted is said. */
export function expectProblems({ text, want }: Wrong): void {
  const problems = problemsOf(text)
  for (const pattern of want) expect(problems).toContainEqual(expect.stringMatching(pattern))
  expect(problems).toHaveLength(want.length)
}

/** The model of persons with another second signal, which stands at line 9. */
export const withSignal = (signal: string) =>
  person.replace(/- \{ id: invited.*/, `- { id: invited, label: Invited, ${signal} }`)
/** The same with fields before `signals`, of which the first stands at line 7. */
export const withFields = (fields: string, text = person) =>
  text.replace('signals:\n', `${fields}\nsignals:\n`)
