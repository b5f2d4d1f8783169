import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import { ripen } from '../support/cli.ts'
import { makeFolder } from '../support/embedded-processes.ts'
import { removeFolders } from '../support/state.ts'

let RIPEN_DATA_DIR = ''
beforeAll(async () => {
  RIPEN_DATA_DIR = await makeFolder('unused')
})
afterAll(removeFolders)

describe('wrong use ends with 2 and says what to do', () => {
  it.each([
    { name: 'an unknown command', args: ['pul'], says: /unknown command 'pul'.*pull/s },
    { name: 'an unknown option', args: ['pull', '--form', 'x'], says: /unknown option '--form'/ },
    { name: 'a missing option', args: ['sync'], says: /--crm/ },
    { name: 'a missing argument', args: ['explain'], says: /email\|domain/ },
    { name: 'an option without its value', args: ['pull', '--files'], says: /--files/ },
    { name: 'an instant that is none', args: ['score', '--as-of', 'noon'], says: /--as-of noon/ },
    {
      name: 'an instant that is no day boundary',
      args: ['score', '--as-of', '2026-01-01T09:00:00Z'],
      says: /--as-of .*2026-01-01T00:00:00Z/,
    },
    { name: 'an instant to come', args: ['score', '--as-of', '2999-01-01'], says: /future/ },
    { name: 'a port that is none', args: ['sandbox', '--port', 'x'], says: /--port x/ },
  ])('$name', async ({ args, says }) => {
    const { code, stdout, stderr } = await ripen(args, { RIPEN_DATA_DIR })
    expect(stderr).toMatch(says)
    expect({ code, stdout }).toEqual({ code: 2, stdout: '' })
  })

  it('a wrong environment is told whole, without its values', async () => {
    const { code, stderr } = await ripen(['status'], {
      RIPEN_DATA_DIR,
      DATABASE_URL: 'mysql://root:sesame@db',
      REDIS_URL: 'http://sesame',
      RIPEN_PORT: 'sesame',
      RIPEN_API_TOKEN: 'sesame',
      RIPEN_LOG_LEVEL: 'loud-sesame',
      RIPEN_CRM_TIMEOUT_MS: '-1',
      AMPLITUDE_BASE_URL: 'sesame',
      MIXPANEL_TIMEZONE: 'Sesame/Street',
      MIXPANEL_START: 'yesterday',
      HUBSPOT_BASE_URL: 'ftp://sesame',
    })
    expect(code).toBe(2)
    for (const name of [
      'DATABASE_URL',
      'REDIS_URL',
      'RIPEN_PORT',
      'RIPEN_API_TOKEN',
      'RIPEN_LOG_LEVEL',
      'RIPEN_CRM_TIMEOUT_MS',
      'AMPLITUDE_BASE_URL',
      'MIXPANEL_TIMEZONE',
      'MIXPANEL_START',
      'HUBSPOT_BASE_URL',
    ]) {
      expect(stderr).toContain(`${name}: `)
    }
    expect(stderr).not.toContain('sesame')
  })

  it.each(['0.0.0.0', '::', '192.0.2.7'])('serve on %s without a token', async (RIPEN_HOST) => {
    const { code, stderr } = await ripen(['serve'], { RIPEN_DATA_DIR, RIPEN_HOST })
    expect(stderr).toMatch(/RIPEN_HOST.*RIPEN_API_TOKEN/)
    expect(code).toBe(2)
  })

  it('a database that cannot be reached is told by its variable', async () => {
    const DATABASE_URL = 'postgres://ripen:sesame@127.0.0.1:9/ripen'
    const { code, stderr } = await ripen(['status'], { RIPEN_DATA_DIR, DATABASE_URL })
    expect(stderr).toMatch(/DATABASE_URL/)
    expect(stderr).not.toContain('sesame')
    expect(code).toBe(2)
  })
})

describe('help', () => {
  it('lists every command and ends with 0', async () => {
    const { code, stdout } = await ripen(['--help'])
    expect(code).toBe(0)
    for (const name of ['demo', 'serve', 'worker', 'sandbox', 'pull', 'score', 'sync', 'explain']) {
      expect(stdout).toMatch(new RegExp(`^ {2}${name} `, 'm'))
    }
  })
})
