import type { MappingFiles } from '../../src/core/mapping/mapping-set.ts'
import { mappingFiles } from './mapping-files.ts'

const status = `
status: { enter: 50, exit: 40, assist: 25, new-for: 7d, stale-after: 45d }
bands: [{ grade: D, from: 0 }, { grade: B, from: 50 }, { grade: A, from: 80 }]
`

/** People by what they did, how it fades, and what their colleagues do. */
const people = `
id: people
version: 1
subject: person
kind: conversion
predicts: won
window: 30d
signals:
  - { id: activated, label: Reached activation, action: activated, points: 30 }
  - { id: invited, label: Invited, action: colleague_invited, points: 20, per: 1, max: 40 }
  - { id: api-key, label: API key, action: api_key_created, measure: first-ever, points: 15 }
  - { id: pricing, label: Pricing, action: pricing_viewed, points: 10, half-life: 3d }
  - { id: queries, label: Queries, action: query_run, points: 3, per: 1, max: 12, half-life: 4d }
  - { id: streak, label: Days in a row, action: query_run, measure: streak, at-least: 3, points: 7 }
  - { id: team, label: A team at work, people: active, at-least: 2, points: 6 }
  - { id: others, label: The account's work, action: query_run, of: account, points: 4 }
  - { id: free-mail, label: Private address, trait: email_kind, in: [free, disposable], points: -20 }
${status}`

/** Accounts by their people. */
const accounts = `
id: accounts
version: 1
subject: account
kind: conversion
predicts: won
window: 30d
people-model: people
signals:
  - { id: active-people, label: Active, people: active, points: 12, per: 1, max: 40 }
  - { id: qualified-people, label: Qualified, people: qualified, points: 30, per: 1, max: 45 }
  - { id: breadth, label: Users, action: query_run, measure: people, points: 5, per: 1, max: 10 }
${status}`

/** The mappings that come with Ripen, with a model of each kind of signal that hangs on others or on time. */
export async function scoringMappings(version = 1): Promise<MappingFiles> {
  const versioned = (text: string) => text.replace('version: 1', `version: ${version}`)
  const files = Object.entries(await mappingFiles()).filter(([name]) => !name.startsWith('models/'))
  return {
    ...Object.fromEntries(files),
    'models/people.yaml': versioned(people),
    'models/accounts.yaml': versioned(accounts),
  }
}
