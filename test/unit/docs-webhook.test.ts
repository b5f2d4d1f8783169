import { describe, expect, it } from '@jest/globals'
import { signedHeaders } from '../../src/infra/outbound/webhook.ts'
import { codeBlocks, readPage, section } from '../support/doc-pages.ts'

const SECRET = 'a secret of sixteen or more'
const NOW = new Date('2026-11-30T12:00:00Z')
const BODY = '{"a":"ü"}'

type Check = (headers: Record<string, string>, body: string, secret: string, now: number) => boolean

async function exampleCheck(): Promise<Check> {
  const page = section(await readPage('docs/mappings.md'), '## playbooks/*.yaml')
  const [code = ''] = codeBlocks(page, 'js')
  const source = encodeURIComponent(`${code}\nexport { isFromRipen }`)
  const { isFromRipen } = (await import(`data:text/javascript,${source}`)) as { isFromRipen: Check }
  return isFromRipen
}

describe('the receiver in the documentation', () => {
  const headers = signedHeaders({ id: 'msg_1', secret: SECRET, body: BODY, at: NOW })
  it.each([
    { name: 'takes a message of ours', body: BODY, secret: SECRET, later: 0, want: true },
    { name: 'refuses another body', body: `${BODY} `, secret: SECRET, later: 0, want: false },
    { name: 'refuses another secret', body: BODY, secret: `${SECRET}!`, later: 0, want: false },
    { name: 'refuses an old message', body: BODY, secret: SECRET, later: 301_000, want: false },
  ])('$name', async ({ body, secret, later, want }) => {
    const check = await exampleCheck()
    expect(check(headers, body, secret, NOW.getTime() + later)).toBe(want)
  })

  it('refuses what is not signed', async () => {
    const check = await exampleCheck()
    expect(check({}, BODY, SECRET, NOW.getTime())).toBe(false)
  })
})
