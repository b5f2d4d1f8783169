import type { MappingFiles } from '../../src/core/mapping/mapping-set.ts'

/** Mapping files that say little else than which traits there are. */
export const TRAIT_FILES: MappingFiles = {
  'usage.yaml': `version: 1
email: [user.email]
traits:
  plan: [user.plan]
actions:
  board_created:
    label: Created a board
    family: activation
    from: [{ event: Board Created }]
`,
  'models/people.yaml': `id: people
version: 1
subject: person
kind: conversion
predicts: board_created
window: 30d
signals:
  - { id: board, label: Created a board, action: board_created, points: 60 }
status: { enter: 55, exit: 45, assist: 30, new-for: 7d, stale-after: 45d }
bands: [{ grade: D, from: 0 }]
`,
  'models/accounts.yaml': `id: accounts
version: 1
subject: account
kind: conversion
predicts: board_created
window: 30d
people-model: people
signals:
  - { id: board, label: Created a board, action: board_created, points: 60 }
status: { enter: 55, exit: 45, assist: 30, new-for: 7d, stale-after: 45d }
bands: [{ grade: D, from: 0 }]
`,
  'hubspot.yaml': `version: 1
read-every: 1h
objects:
  contact:
    subject: person
    model: people
    key: { property: pql_person_id, label: PQL person id }
    create: never
    group: { name: ripen, label: Ripen }
    properties:
      pql_score: { from: score, type: number, label: PQL score }
    read: { job_title: jobtitle }
    sales-status:
      property: hs_lead_status
      values:
        accepted: [CONNECTED]
        rejected: [UNQUALIFIED, BAD_TIMING]
        opportunity: [OPEN_DEAL]
      reason: website
  company:
    subject: account
    model: accounts
    key: { property: pqa_account_id, label: PQA account id }
    create: never
    on-create: { name: name }
    group: { name: ripen, label: Ripen }
    properties:
      pqa_score: { from: score, type: number, label: PQA score }
    read: { head_count: numberofemployees, industry: industry }
`,
  'traits.yaml': `version: 1
files:
  people:
    id: { column: email, is: email }
    traits: { seniority: Seniority, team: Team }
  history:
    delimiter: ;
    id: { column: member, is: amplitude/u }
    date: { column: since, format: "%d.%m.%Y", zone: Europe/Berlin }
    traits: { tier: tier }
  companies:
    id: { column: domain, is: domain }
    traits: { segment: Segment }
`,
}
