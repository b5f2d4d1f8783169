import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import { type SampleCompany, sampleCompany } from '../../sandbox/company/sample-company.ts'
import { seedCrm } from '../../sandbox/company/seed-crm.ts'
import { createHubspotSandbox, type HubspotSandbox } from '../../sandbox/hubspot/hubspot-sandbox.ts'

let hubspot: HubspotSandbox
let company: SampleCompany
beforeAll(async () => {
  company = sampleCompany({ end: new Date('2026-09-10T00:00:00Z'), days: 30 })
  hubspot = await createHubspotSandbox()
  seedCrm(hubspot, company)
})
afterAll(async () => hubspot.close())

const valuesOf = (object: string, property: string) =>
  hubspot.records(object).map(({ properties }) => properties[property] ?? '')

describe("the sample company's CRM", () => {
  it('knows head counts, industries and types of all companies, some competitors among them', () => {
    for (const property of ['numberofemployees', 'industry', 'type']) {
      expect(valuesOf('companies', property)).not.toContain('')
    }
    const competitors = valuesOf('companies', 'type').filter((type) => type === 'COMPETITOR')
    expect(competitors.length).toBeGreaterThan(0)
    expect(competitors.length * 10).toBeLessThan(valuesOf('companies', 'type').length)
  })

  it('knows titles, some students, and what sales did with some contacts', () => {
    expect(valuesOf('contacts', 'jobtitle')).toContain('Student')
    const statuses = valuesOf('contacts', 'hs_lead_status')
    for (const status of ['UNQUALIFIED', 'BAD_TIMING', 'CONNECTED', 'OPEN_DEAL', '']) {
      expect(statuses).toContain(status)
    }
  })

  it('has said nothing of the people of the stories, nor that they are students or competitors', () => {
    const { team, expansion, freshTeams, loner, limit } = company.stories
    const teams = [team, expansion, ...freshTeams]
    const cast = new Set([...teams.flatMap(({ members }) => members), loner.email, limit.email])
    const contacts = hubspot.records('contacts').map(({ properties }) => properties)
    const theirs = contacts.filter(({ email }) => cast.has(email ?? ''))
    expect(theirs.length).toBeGreaterThan(0)
    for (const contact of theirs) {
      expect(contact['hs_lead_status']).toBeUndefined()
      expect(contact['jobtitle']).not.toBe('Student')
    }
    const domains = new Set(teams.map(({ domain }) => domain))
    const companies = hubspot.records('companies').map(({ properties }) => properties)
    const types = companies.filter(({ domain }) => domains.has(domain ?? '')).map((c) => c['type'])
    expect(types).not.toContain('COMPETITOR')
  })
})
