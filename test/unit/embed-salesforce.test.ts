import { existsSync } from 'node:fs'
import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, expect, it } from '@jest/globals'
import { XMLParser } from 'fast-xml-parser'
import { PACKAGE_FIELDS } from '../../embed/salesforce/source/fields.ts'
import { STREAMED } from '../../embed/salesforce/source/optional-files.ts'
import { packageFiles } from '../../embed/salesforce/source/package-files.ts'
import { readMappingFolder } from '../../src/infra/mappings/folder.ts'
import { type Elements, SALESFORCE_ELEMENTS } from '../support/salesforce-elements.ts'

const ROOT = join(import.meta.dirname, '../../embed/salesforce')
// A folder with Salesforce's own reference of metadata types and objects as JSON; none comes with Ripen.
const REFERENCE = process.env['RIPEN_TEST_SALESFORCE_REFERENCE'] ?? ''
const NEEDS =
  'set RIPEN_TEST_SALESFORCE_REFERENCE to a folder with metadata_CustomField.json and others'
const isThere = existsSync(join(REFERENCE, 'metadata_CustomField.json'))
if (!isThere)
  process.stdout.write(`skipped: the package against Salesforce's reference; ${NEEDS}\n`)

interface Part {
  readonly path: string
  readonly type: string
  readonly content: Readonly<Record<string, unknown>>
}

const parser = new XMLParser({ ignoreAttributes: false, parseTagValue: false })
const PARTS: readonly Part[] = [...packageFiles()].flatMap(([path, text]) => {
  if (!path.endsWith('.xml')) return []
  const { '?xml': _declaration, ...roots } = parser.parse(text) as Record<string, Part['content']>
  const [[type, content] = ['', {}]] = Object.entries(roots)
  return [{ path, type, content }]
})

const partsOf = (type: string) => PARTS.filter((part) => part.type === type)
const listOf = (value: unknown): readonly Readonly<Record<string, string>>[] =>
  value === undefined ? [] : ([value].flat() as Readonly<Record<string, string>>[])

/** Names below a type that the reference does not know. */
function unknownNames(content: object, known: Elements, trail: string): string[] {
  return Object.entries(content).flatMap(([name, value]) => {
    if (name.startsWith('@_')) return []
    const below = known[name]
    if (below === undefined) return [`${trail}.${name}`]
    if (below === true) return []
    return [value].flat().flatMap((one) => unknownNames(one as object, below, `${trail}.${name}`))
  })
}

describe('the package for Salesforce', () => {
  it('is on disk as its source says, and nothing besides', async () => {
    const wanted = packageFiles()
    const directories = new Set([...wanted.keys()].map((path) => path.split('/')[0] ?? ''))
    const there: string[] = []
    for (const directory of directories) {
      if (directory.endsWith('.json')) there.push(directory)
      else {
        const entries = await readdir(join(ROOT, directory), {
          recursive: true,
          withFileTypes: true,
        })
        for (const entry of entries) {
          if (entry.isFile()) there.push(join(entry.parentPath, entry.name).slice(ROOT.length + 1))
        }
      }
    }
    expect(there.sort()).toEqual([...wanted.keys()].sort())
    for (const [path, text] of wanted) {
      expect([path, await readFile(join(ROOT, path), 'utf8')]).toEqual([path, text])
    }
  })

  it('uses only elements that the metadata reference names', () => {
    const unknown = PARTS.flatMap(({ path, type, content }) => {
      const known = SALESFORCE_ELEMENTS[type]
      return known ? unknownNames(content, known, type) : [`${path}: ${type}`]
    })
    expect(unknown).toEqual([])
    expect(
      unknownNames(
        { valueSet: { restrict: 'true' } },
        SALESFORCE_ELEMENTS['CustomField'] ?? {},
        'CustomField',
      ),
    ).toEqual(['CustomField.valueSet.restrict'])
  })

  it('keeps the bounds of Salesforce', () => {
    for (const fields of Object.values(PACKAGE_FIELDS)) {
      expect(new Set(fields.map(({ name }) => name)).size).toBe(fields.length)
      for (const { name, label, help, kind } of fields) {
        expect(name).toMatch(/^[A-Z][A-Za-z0-9]*(_[A-Za-z0-9]+)*__c$/)
        expect(name.length).toBeLessThanOrEqual(43)
        expect(label.length).toBeLessThanOrEqual(40)
        expect(help.length).toBeLessThanOrEqual(510)
        if (kind.type === 'Text' || kind.type === 'Key')
          expect(kind.length).toBeLessThanOrEqual(255)
      }
    }
  })

  it('has one unique external id on each object whose records are written', () => {
    for (const object of ['Lead', 'Contact', 'Account'] as const) {
      expect(PACKAGE_FIELDS[object].filter(({ kind }) => kind.type === 'Key')).toHaveLength(1)
    }
    const ids = partsOf('CustomField').filter(({ content }) => content['externalId'] === 'true')
    expect(ids.map(({ content }) => content['unique'])).toEqual(['true', 'true', 'true'])
  })

  it('grants every field to both permission sets, and only answers to people for writing', () => {
    const wanted = Object.entries(PACKAGE_FIELDS).flatMap(([object, fields]) =>
      (object === 'Activity' ? ['Task', 'Event'] : [object]).flatMap((name) =>
        fields.map((field) => `${name}.${field.name}`),
      ),
    )
    const sets = partsOf('PermissionSet')
    expect(sets).toHaveLength(2)
    for (const { path, content } of sets) {
      const grants = listOf(content['fieldPermissions'])
      expect(grants.map(({ field }) => field).sort()).toEqual([...wanted].sort())
      const editable = grants.filter((grant) => grant['editable'] === 'true')
      const answers = editable.every(({ field }) =>
        /_(Disposition|Rejection_Reason)__c$/.test(field ?? ''),
      )
      expect(answers).toBe(path.includes('Ripen_User'))
      for (const object of listOf(content['objectPermissions'])) {
        expect([object['allowDelete'], object['modifyAllRecords']]).toEqual(['false', 'false'])
      }
    }
  })

  it('shows in lists and reports only fields that there are', () => {
    const known = (object: string) =>
      new Set((PACKAGE_FIELDS[object as keyof typeof PACKAGE_FIELDS] ?? []).map(({ name }) => name))
    for (const { path, content } of partsOf('ListView')) {
      const object = /objects\/(\w+)\//.exec(path)?.[1] ?? ''
      const named = [content['columns'], listOf(content['filters']).map(({ field }) => field)].flat(
        2,
      )
      for (const name of named.map(String).filter((one) => one.endsWith('__c'))) {
        expect(known(object)).toContain(name)
      }
    }
    for (const { content } of partsOf('ReportType')) {
      for (const section of [content['sections']].flat() as Part['content'][]) {
        const columns = listOf(section['columns']).map(({ field }) => field ?? '')
        const ours = columns.filter((name) => name.endsWith('__c'))
        expect(ours).toEqual([...known(String(section['masterLabel']))])
      }
    }
  })

  it('carries each field of a converted lead to one of the same kind on the contact', () => {
    const contact = new Map(PACKAGE_FIELDS.Contact.map((field) => [field.name, field.kind]))
    const [settings] = partsOf('LeadConvertSettings')
    const [mapping] = [settings?.content['objectMapping']].flat() as Part['content'][]
    const carried = listOf(mapping?.['mappingFields'])
    expect(carried.map(({ inputField }) => inputField)).toEqual(
      PACKAGE_FIELDS.Lead.map(({ name }) => name),
    )
    for (const { outputField } of carried) expect(contact.get(outputField ?? '')).toBeDefined()
    for (const { name, kind } of PACKAGE_FIELDS.Lead) expect(contact.get(name)).toEqual(kind)
  })

  it('streams no more objects than an org has without an add-on, and its flow waits for an admin', () => {
    expect(partsOf('PlatformEventChannelMember')).toHaveLength(STREAMED.length)
    expect(STREAMED.length).toBeLessThanOrEqual(5)
    expect(partsOf('Flow').map(({ content }) => content['status'])).toEqual(['Draft'])
  })

  it('has a field for everything that the shipped mapping writes into HubSpot', async () => {
    const files = await readMappingFolder(join(import.meta.dirname, '../../mappings'))
    const written = [...(files['hubspot.yaml'] ?? '').matchAll(/^ {6}(pq[la]_\w+):$/gm)].map(
      ([, name]) => name?.toLowerCase() ?? '',
    )
    expect(written.length).toBeGreaterThan(30)
    const ours = new Set(
      Object.values(PACKAGE_FIELDS)
        .flat()
        .map(({ name }) => name.replace(/__c$/, '').toLowerCase()),
    )
    for (const name of written) expect(ours).toContain(name)
  })

  ;(isThere ? it : it.skip)(`agrees with Salesforce's reference (${NEEDS})`, async () => {
    for (const type of Object.keys(SALESFORCE_ELEMENTS)) {
      const reference = await readFile(join(REFERENCE, `metadata_${type}.json`), 'utf8')
      const named = (elements: Elements): string[] =>
        Object.entries(elements).flatMap(([name, below]) => [
          name,
          ...(below === true ? [] : named(below)),
        ])
      for (const name of named(SALESFORCE_ELEMENTS[type] ?? {})) {
        expect([
          type,
          name,
          reference.includes(`"${name}"`) || reference.includes(`name=\\"${name}\\"`),
        ]).toEqual([type, name, true])
      }
    }
    for (const { content } of partsOf('ReportType')) {
      for (const section of [content['sections']].flat() as Part['content'][]) {
        const object = await readFile(
          join(REFERENCE, `${String(section['masterLabel'])}.json`),
          'utf8',
        )
        for (const { field = '' } of listOf(section['columns'])) {
          if (!field.endsWith('__c'))
            expect([field, object.includes(`"${field}"`)]).toEqual([field, true])
        }
      }
    }
  })
})
