import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from '@jest/globals'
import type { FieldDefinition } from '../../sandbox/salesforce/field-definition.ts'
import { standardObjects } from '../../sandbox/salesforce/object-catalog.ts'
import { makeId, readLongId } from '../../sandbox/salesforce/salesforce-id.ts'

// A folder with Salesforce's own reference of its objects as JSON; none comes with Ripen.
const REFERENCE = process.env['RIPEN_TEST_SALESFORCE_REFERENCE'] ?? ''
const isThere = existsSync(join(REFERENCE, 'Lead.json'))
if (!isThere)
  process.stdout.write(
    "skipped: the stand-in's fields against Salesforce's reference; set RIPEN_TEST_SALESFORCE_REFERENCE to a folder with Lead.json and others\n",
  )

interface ReferenceField {
  readonly type: string
  readonly properties?: string
  readonly refers_to?: string
}

const COMPARED = ['Lead', 'Contact', 'Account', 'Opportunity', 'Task', 'User'] as const
const objects = standardObjects(true)

/**
 * Fields of the reference that an org shows only with a licence or a feature that is switched on:
 * multiple currencies, divisions, state and country lists, Salesforce to Salesforce, sales cadences,
 * Einstein, D&B, partner and customer portals, commerce, territories, quotes, splits.
 */
const OPTIONAL: Readonly<Record<(typeof COMPARED)[number], readonly RegExp[]>> = {
  Lead: [/^DandBCompanyId$/, /^Division$/, /^PartnerAccountId$/, /^ScoreIntelligenceId$/],
  Contact: [/^BuyerAttributes$/, /^ContactSource$/, /^DepartmentGroup$/, /^TitleType$/],
  Account: [
    /^ChannelProgram/,
    /^IsBuyer$/,
    /^IsCustomerPortal$/,
    /^IsPartner$/,
    /^OperatingHoursId$/,
    /^PersonActionCadence/,
    /^PersonScheduledResume/,
  ],
  Opportunity: [
    /^AgeInDays$/,
    /^IqScore$/,
    /^IsExcludedFromTerritory2Filter$/,
    /^IsSplit$/,
    /InDays$/,
    /^PartnerAccountId$/,
    /^PricebookId$/,
    /^SyncedQuoteID$/,
    /^Territory2Id$/,
  ],
  Task: [/^TaskWhoIds$/],
  // The reference calls a second, older field `Manager` a picklist; describe shows ManagerId alone.
  User: [
    /^Manager$/,
    /^IsPartner$/,
    /^IsPortal/,
    /^IsPrmSuperUser$/,
    /^PortalRole$/,
    /Division$/,
    /^WirelessEmail$/,
  ],
}
const OPTIONAL_ANYWHERE = [
  /CurrencyIsoCode$/,
  /CountryCode$/,
  /StateCode$/,
  /^Connection(Received|Sent)Id$/,
  /^ActionCadence/,
  /^ActivityMetric/,
  /^ActiveTrackerCount$/,
  /^Commerce/,
  /^ExportStatus$/,
  /^First(Call|Email)DateTime$/,
  /^GenderIdentity$/,
  /^Pronouns$/,
  /^MiddleName$/,
  /^Suffix$/,
  /^ScheduledResumeDateTime$/,
]

function referenceOf(object: string): Map<string, ReferenceField> {
  const text = readFileSync(join(REFERENCE, `${object}.json`), 'utf8')
  const { fields } = JSON.parse(text) as { fields: Record<string, ReferenceField> }
  return new Map(Object.entries(fields))
}

function fieldsOf(object: string): ReadonlyMap<string, FieldDefinition> {
  return objects.get(object)?.fields ?? new Map()
}

function summary(field: FieldDefinition): string {
  const { type, createable, updateable, nillable, idLookup, filterable, restricted } = field
  return show(type, { createable, updateable, nillable, idLookup, filterable, restricted })
}

function expected({ type, properties = '' }: ReferenceField): string {
  const words = new Set(properties.split(',').map((word) => word.trim().toLowerCase()))
  return show(type.toLowerCase(), {
    createable: words.has('create'),
    updateable: words.has('update'),
    nillable: words.has('nillable'),
    idLookup: words.has('idlookup'),
    filterable: words.has('filter'),
    restricted: words.has('restricted picklist'),
  })
}

function show(type: string, traits: Readonly<Record<string, boolean>>): string {
  const names = Object.entries(traits).flatMap(([name, has]) => (has ? [name] : []))
  return [type, ...names].join(' ')
}

const compared = isThere ? describe : describe.skip
compared.each(COMPARED)("Salesforce's reference of %s", (object) => {
  const reference = isThere ? referenceOf(object) : new Map<string, ReferenceField>()
  const described = [...reference].filter(([, { properties }]) => properties !== undefined)

  it('agrees with every field of the stand-in that it knows', () => {
    const known = described.filter(([name]) => fieldsOf(object).has(name))
    const ours = known.map(([name]) => `${name}: ${summary(field(object, name))}`)
    expect(ours).toEqual(known.map(([name, given]) => `${name}: ${expected(given)}`))
    expect(known.length).toBeGreaterThan(20)
  })

  it('has no field that the stand-in leaves out without a reason', () => {
    const reasons = [...OPTIONAL_ANYWHERE, ...OPTIONAL[object]]
    const missing = described
      .map(([name]) => name)
      .filter((name) => !fieldsOf(object).has(name))
      .filter((name) => !reasons.some((reason) => reason.test(name)))
    expect(missing).toEqual([])
  })
})

function field(object: string, name: string): FieldDefinition {
  const found = fieldsOf(object).get(name)
  if (found === undefined) throw new Error(`${object} has no ${name}`)
  return found
}

describe('objects without people as accounts', () => {
  it('require the company of a lead and know no person account', () => {
    const plain = standardObjects(false)
    expect(plain.get('Lead')?.fields.get('Company')?.nillable).toBe(false)
    expect(plain.get('Account')?.fields.has('IsPersonAccount')).toBe(false)
    expect(plain.get('Contact')?.fields.has('IsPersonAccount')).toBe(false)
  })
})

describe('ids', () => {
  it('survive a tool that does not keep case', () => {
    for (const nth of [1, 61, 62, 3843, 100_000, 9_999_999]) {
      const id = makeId('00Q', nth)
      expect(readLongId(id.toUpperCase())).toBe(id)
      expect(readLongId(id.toLowerCase())).toBe(id)
      expect(readLongId(id.slice(0, 15))).toBe(id)
    }
  })

  it('have the suffix that Salesforce gives them', () => {
    expect(readLongId('001D000000IqhSL')).toBe('001D000000IqhSLIAZ')
    expect(readLongId('0012o00003WauzJ')).toBe('0012o00003WauzJAAR')
  })

  it('sort in the order in which they were given', () => {
    const ids = [1, 2, 61, 62, 3844, 250_000].map((nth) => makeId('003', nth))
    expect([...ids].sort()).toEqual(ids)
  })

  it.each(['', '00Q', '00Q000000000000!', '00Q00000000000123456'])('are not "%s"', (text) => {
    expect(readLongId(text)).toBeUndefined()
  })
})
