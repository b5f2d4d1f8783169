import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, it } from '@jest/globals'
import { createLogger } from '../../src/infra/logger.ts'
import { checkLogs, findLeaks } from '../support/log-check.ts'
import { API_TOKEN, CLIENT_SECRET, VENDOR_SECRETS } from '../support/log-secrets.ts'
import { WHO } from '../support/small-usage.ts'

/** The lines that a logger of the product writes. */
function logged(write: (logger: ReturnType<typeof createLogger>) => void): string {
  let text = ''
  const target = {
    write: (line: string) => {
      text += line
    },
  }
  write(createLogger('trace', target))
  return text
}

describe('the check of the logs', () => {
  it.each([
    { name: 'an address in a message', line: () => `could not write ${WHO.champion}` },
    { name: 'an address in capitals', line: () => WHO.loner.toUpperCase() },
    { name: 'an address in a URL', line: () => '/contacts/ana%40northfield-tools.com' },
    { name: 'a token', line: () => `Bearer ${VENDOR_SECRETS.hubspot}` },
    { name: 'a client secret', line: () => CLIENT_SECRET },
    { name: 'a secret of a stand-in', line: () => 'client_secret=sandbox-secret' },
    { name: 'a token of a stand-in', line: () => 'Bearer sandbox-token' },
    { name: 'an access token', line: () => 'na1-access-0f3a' },
    { name: 'a refresh token', line: () => 'na1-refresh-0f3a' },
    { name: 'an authorisation code', line: () => '?code=na1-code-0f3a' },
    { name: 'the token of the API', line: () => API_TOKEN },
    { name: 'a webhook', line: () => '[{"subscriptionType":"contact.creation","objectId":1}]' },
    { name: 'a request', line: () => JSON.stringify({ filterGroups: [], limit: 200 }) },
  ])('finds $name that somebody logs, at any level', ({ line }) => {
    for (const level of ['trace', 'info', 'error'] as const) {
      const log = logged((logger) => logger[level]({ step: 'pull' }, line()))
      expect(findLeaks(log)).toHaveLength(1)
      const nested = logged((logger) => logger[level]({ cause: { text: line() } }, 'failed'))
      expect(findLeaks(nested)).toHaveLength(1)
    }
  })

  it('lets pass what tells nothing of anybody', () => {
    const log = logged((logger) => {
      logger.info({ step: 'pull', key: 'mixpanel', counts: { rows: 12 } }, 'step done')
      logger.error({ stack: 'at x (/app/node_modules/@hubspot/api-client/index.js:1:2)' }, 'bug')
      logger.warn(
        { message: 'No answer from 127.0.0.1:4010 to POST contacts/batch/read' },
        'failed',
      )
    })
    expect(log.split('\n')).toHaveLength(4)
    expect(findLeaks(log)).toEqual([])
  })

  it('fails a run in whose logs one line holds an address', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'ripen-log-check-'))
    await writeFile(join(folder, '1.jsonl'), '{"level":30,"msg":"step done"}\n')
    await checkLogs(folder)
    await writeFile(join(folder, '2.jsonl'), `{"level":10,"msg":"read ${WHO.quiet}"}\n`)
    await expect(checkLogs(folder)).rejects.toThrow('1 lines of the logs hold what none may')
    await rm(folder, { recursive: true })
  })

  it('has nothing to say of a run that logged nothing', async () => {
    await expect(checkLogs(join(tmpdir(), 'ripen-no-such-folder'))).resolves.toBeUndefined()
  })
})
