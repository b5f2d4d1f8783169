import { readdir } from 'node:fs/promises'
import { describe, expect, it } from '@jest/globals'
import { codeSpans, ROOT, readPage, section, tableRows } from '../support/doc-pages.ts'

const list = async (): Promise<string[]> => (await readdir(new URL('docs/adr/', ROOT))).sort()

describe('decisions', () => {
  it('are numbered from 1 without a gap', async () => {
    const names = await list()
    const wanted = names.map((_, index) => String(index + 1).padStart(4, '0'))
    expect(names.map((name) => /^(\d{4})-[a-z0-9-]+\.md$/.exec(name)?.[1])).toEqual(wanted)
  })

  it('have their number, a date, a status and the three parts, on one page', async () => {
    for (const [index, name] of (await list()).entries()) {
      const text = await readPage(`docs/adr/${name}`)
      const headings = [...text.matchAll(/^#+ .*$/gm)].map(([heading]) => heading)
      const lines = text.split('\n')
      expect({ name, title: lines[0], headings: headings.slice(1), dated: lines[2] }).toEqual({
        name,
        title: expect.stringMatching(new RegExp(`^# ${index + 1}\\. [A-Z]`)),
        headings: ['## Context', '## Decision', '## Consequences'],
        dated: expect.stringMatching(
          /^Date: \d{4}-\d{2}-\d{2}\. Status: (accepted|superseded by \d+)\.$/,
        ),
      })
      expect({ name, isOnePage: lines.length < 60 }).toEqual({ name, isOnePage: true })
    }
  })
})

describe('the decision about libraries', () => {
  it('names every dependency and no other', async () => {
    const page = await readPage('docs/adr/0012-libraries.md')
    const manifest = JSON.parse(await readPage('package.json'))
    const { dependencies, optionalDependencies, devDependencies } = manifest
    const shipped = tableRows(page, 'library').flatMap(([name]) => codeSpans(name ?? ''))
    const wanted = Object.keys({ ...dependencies, ...optionalDependencies })
    expect(shipped.sort()).toEqual(wanted.sort())
    const rest = section(page, '## Decision').split('For development:')[1] ?? ''
    expect(codeSpans(rest).sort()).toEqual(Object.keys(devDependencies).sort())
  })
})
