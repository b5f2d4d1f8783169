import { describe, expect, it } from '@jest/globals'
import { modelSchema } from '../../src/core/mapping/model.ts'
import { MEASURES, PEOPLE_AMOUNTS } from '../../src/core/mapping/model-signals.ts'
import { parseYaml } from '../../src/core/mapping/parse-yaml.ts'
import { createScorer } from '../../src/core/scoring/scorer.ts'
import { SALES_STATUSES, USAGE_STATUSES } from '../../src/core/scoring/status.ts'
import { codeBlocks, codeSpans, readPage, section, tableRows } from '../support/doc-pages.ts'
import { featuresOf, NOW, seen } from '../support/features.ts'

const PAGE = 'docs/models.md'
const firsts = async (heading: string): Promise<string[]> => {
  const rows = tableRows(await readPage(PAGE), heading)
  return rows.flatMap(([name]) => codeSpans(name ?? '')).sort()
}

describe('what models mean', () => {
  it.each([
    { heading: '`measure`', words: MEASURES },
    { heading: '`people`', words: PEOPLE_AMOUNTS },
    { heading: 'status', words: USAGE_STATUSES },
  ])('is told of every word under $heading and of no other', async ({ heading, words }) => {
    expect(await firsts(heading)).toEqual([...words].sort())
  })

  it('is told of every sales status', async () => {
    const told = codeSpans(section(await readPage(PAGE), '## The sales status'))
    expect(told).toEqual([...SALES_STATUSES])
  })

  it('has examples that are models', async () => {
    const blocks = codeBlocks(await readPage(PAGE), 'yaml')
    expect(blocks.length).toBeGreaterThan(0)
    for (const text of blocks) parseYaml(text, PAGE, modelSchema)
  })

  it('has an example whose points come out as the table tells', async () => {
    const page = await readPage(PAGE)
    const model = parseYaml(codeBlocks(page, 'yaml')[0] ?? '', PAGE, modelSchema)
    const scorer = createScorer(model, [])
    const did = { days: seen(9, 5), invited: seen(1) }
    const traits = { role: ['Head of Data'], email_kind: ['business'] }
    const score = scorer.score(featuresOf(scorer, did, { traits }), null, NOW)
    const rows = tableRows(page, 'contribution')
    const told = rows.map((row) => [codeSpans(row[0] ?? '')[0] ?? 'sum', Number(row.at(-1))])
    const given = score?.contributions.map(({ id, points }) => [id, points]) ?? []
    expect(Object.fromEntries(told)).toEqual({ ...Object.fromEntries(given), sum: score?.score })
  })
})
