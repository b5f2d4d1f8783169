import { describe, expect, it } from '@jest/globals'
import { parse } from 'yaml'
import { CONFIG_VARIABLES, readConfig } from '../../src/infra/config.ts'
import { codeSpans, listPages, readPage, section, tableRows } from '../support/doc-pages.ts'

const OURS =
  /\b(?:RIPEN|AMPLITUDE|MIXPANEL|SEGMENT|HUBSPOT|SALESFORCE|DATABASE|REDIS)_[A-Z][A-Z_]*[A-Z]\b/g

async function configurationRows(): Promise<string[][]> {
  return tableRows(section(await readPage('README.md'), '## Configuration'), 'variable')
}

describe('the configuration in the README', () => {
  it('has one row for every variable, in the order of the code', async () => {
    const rows = await configurationRows()
    expect(rows.flatMap(([name]) => codeSpans(name ?? ''))).toEqual([...CONFIG_VARIABLES])
  })

  it('tells the default of every variable and what it means', async () => {
    const defaults = { ...readConfig({}), RIPEN_DATA_DIR: './data' } as Record<string, unknown>
    const told = (await configurationRows()).map(([name, value, meaning]) => ({
      name: codeSpans(name ?? '')[0] ?? '',
      value: value === 'absent' ? null : codeSpans(value ?? '')[0],
      explained: (meaning ?? '').length > 10,
    }))
    // What is made of a text is compared by what is made of the text that is told.
    const made = told.filter(({ name }) => typeof defaults[name] === 'object')
    expect(made.map(({ name }) => name)).toEqual(['RIPEN_FRESHNESS_SLO'])
    for (const { name, value } of made) {
      const read: Record<string, unknown> = { ...readConfig({ [name]: value ?? '' }) }
      expect(read[name]).toEqual(defaults[name])
    }
    const texts = new Map(made.map(({ name, value }) => [name, value]))
    const wanted = CONFIG_VARIABLES.map((name) => {
      const value = texts.get(name) ?? defaults[name]
      return { name, value: value === undefined ? null : String(value), explained: true }
    })
    expect(told).toEqual(wanted)
  })
})

describe('variables named anywhere in the documentation', () => {
  it('are read by the code', async () => {
    for (const page of await listPages()) {
      const unknown = ((await readPage(page)).match(OURS) ?? []).filter(
        (name) => !CONFIG_VARIABLES.includes(name),
      )
      expect({ page, unknown }).toEqual({ page, unknown: [] })
    }
  })
})

describe('the container files', () => {
  interface Service {
    readonly command?: readonly string[]
    readonly environment?: Readonly<Record<string, string>>
  }

  const services = async (): Promise<Record<string, Service>> =>
    parse(await readPage('docker-compose.yml'), { merge: true }).services

  it('set only variables that the code reads', async () => {
    const { api, worker } = await services()
    const names = [api, worker].flatMap((service) => Object.keys(service?.environment ?? {}))
    const image = (await readPage('Dockerfile')).match(OURS) ?? []
    expect(names).toContain('RIPEN_API_TOKEN')
    expect([...names, ...image].filter((name) => !CONFIG_VARIABLES.includes(name))).toEqual([])
  })

  it('listen to the network only with a token that must be given', async () => {
    const { api } = await services()
    expect(api?.environment).toMatchObject({
      RIPEN_HOST: '0.0.0.0',
      RIPEN_API_TOKEN: expect.stringMatching(/^\$\{RIPEN_API_TOKEN:\?/),
    })
  })

  it('copy only what the build context lets through', async () => {
    const context = (await readPage('.dockerignore')).split('\n')
    const copied = [...(await readPage('Dockerfile')).matchAll(/^COPY (?!--from)(.+) \S+$/gm)]
      .flatMap((match) => (match[1] ?? '').split(' '))
      .map((path) => `!${path}`)
    expect(copied.length).toBeGreaterThan(6)
    expect(copied.filter((path) => !context.includes(path))).toEqual([])
  })
})
