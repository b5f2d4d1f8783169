import { isAbsolute, resolve } from 'node:path'
import { describe, expect, it } from '@jest/globals'
import { ConfigError } from '../../src/core/errors.ts'
import { CONFIG_VARIABLES, readConfig } from '../../src/infra/config.ts'

function problemsOf(env: Readonly<Record<string, string>>): string[] {
  try {
    readConfig(env)
  } catch (error) {
    expect(error).toBeInstanceOf(ConfigError)
    return (error as ConfigError).message.split('\n')
  }
  return []
}

describe('the environment', () => {
  it('may be empty', () => {
    expect(readConfig({})).toMatchObject({
      RIPEN_HOST: '127.0.0.1',
      RIPEN_PORT: 4000,
      MIXPANEL_TIMEZONE: 'UTC',
      AMPLITUDE_REGION: 'us',
      AMPLITUDE_DUE_HOURS: 3,
      MIXPANEL_REGION: 'us',
      MIXPANEL_OPEN_DAY_MINUTES: 15,
      HUBSPOT_BASE_URL: 'https://api.hubapi.com',
    })
  })

  it('names the data folder from the root, wherever it is given from', () => {
    expect(readConfig({}).RIPEN_DATA_DIR).toBe(resolve('./data'))
    expect(readConfig({ RIPEN_DATA_DIR: 'a/../b' }).RIPEN_DATA_DIR).toBe(resolve('b'))
    const given = resolve('/srv/ripen')
    expect(readConfig({ RIPEN_DATA_DIR: given }).RIPEN_DATA_DIR).toBe(given)
    expect(isAbsolute(readConfig({}).RIPEN_DATA_DIR)).toBe(true)
  })

  it('means by an empty variable that it is absent', () => {
    const empty = Object.fromEntries(CONFIG_VARIABLES.map((name) => [name, '']))
    expect(readConfig(empty)).toEqual(readConfig({}))
  })

  it('may hold what Ripen does not know', () => {
    expect(readConfig({ PATH: '/bin', RIPEN_PORT: '0' }).RIPEN_PORT).toBe(0)
    expect(readConfig({ PATH: '/bin' })).not.toHaveProperty('PATH')
  })

  it.each([
    { name: 'RIPEN_PORT', value: '65536' },
    { name: 'RIPEN_PORT', value: '-1' },
    { name: 'RIPEN_PORT', value: 'http-port' },
    { name: 'RIPEN_PORT', value: '80.5' },
    { name: 'RIPEN_LOG_LEVEL', value: 'loud' },
    { name: 'RIPEN_API_TOKEN', value: 'short-token' },
    { name: 'RIPEN_CRM_TIMEOUT_MS', value: '99' },
    { name: 'RIPEN_CRM_TIMEOUT_MS', value: '120001' },
    { name: 'RIPEN_DUCKDB_MEMORY_MB', value: '64' },
    { name: 'RIPEN_DUCKDB_THREADS', value: '0' },
    { name: 'DATABASE_URL', value: 'mysql://user:secret@host/db' },
    { name: 'REDIS_URL', value: 'http://user:secret@host' },
    { name: 'AMPLITUDE_BASE_URL', value: 'amplitude' },
    { name: 'MIXPANEL_BASE_URL', value: 'file:///etc/passwd' },
    { name: 'MIXPANEL_QUERY_BASE_URL', value: 'mixpanel' },
    { name: 'MIXPANEL_REGION', value: 'mars' },
    { name: 'MIXPANEL_GROUPS', value: 'acme' },
    { name: 'MIXPANEL_OPEN_DAY_MINUTES', value: '3' },
    { name: 'MIXPANEL_LOOK_BACK_DAYS', value: '91' },
    { name: 'MIXPANEL_SWEEP_DAYS', value: '366' },
    { name: 'HUBSPOT_BASE_URL', value: 'ftp://hubspot' },
    { name: 'MIXPANEL_TIMEZONE', value: 'Mars/Olympus' },
    { name: 'AMPLITUDE_START', value: '2026-13-01' },
    { name: 'AMPLITUDE_REGION', value: 'asia' },
    { name: 'AMPLITUDE_DUE_HOURS', value: '1.5' },
    { name: 'AMPLITUDE_S3_ENDPOINT', value: 'minio' },
    { name: 'MIXPANEL_START', value: 'yesterday' },
  ])('with $name=$value is refused by name, without the value', ({ name, value }) => {
    const [head, ...problems] = problemsOf({ [name]: value })
    expect(head).toBe('wrong environment:')
    expect(problems).toHaveLength(1)
    expect(problems[0]?.startsWith(`${name}: `)).toBe(true)
    expect(problems.join()).not.toContain(value)
  })

  it('names all that is wrong together', () => {
    const wrong = { RIPEN_PORT: 'x', DATABASE_URL: 'mysql://u:secret@h', MIXPANEL_START: 'never' }
    const message = problemsOf(wrong).join('\n')
    for (const name of Object.keys(wrong)) expect(message).toContain(`${name}: `)
    expect(message).not.toContain('secret')
  })

  it('takes each variable in the form that its message asks for', () => {
    const good = {
      DATABASE_URL: 'postgres://ripen@localhost/ripen',
      REDIS_URL: 'rediss://localhost:6379',
      RIPEN_API_TOKEN: 'x'.repeat(16),
      MIXPANEL_TIMEZONE: 'Europe/Berlin',
      AMPLITUDE_START: '2026-09-01',
      RIPEN_DUCKDB_THREADS: '2',
    }
    expect(readConfig(good)).toMatchObject({ ...good, RIPEN_DUCKDB_THREADS: 2 })
  })
})
