import { randomBytes } from 'node:crypto'
import { describe, expect, it } from '@jest/globals'
import { ConfigError } from '../../src/core/errors.ts'
import { createKeyring, keyringProblem } from '../../src/infra/secrets/keyring.ts'

const newKey = () => randomBytes(32).toString('base64')
const OLD = newKey()
const NEW = newKey()

describe('the key ring', () => {
  it('opens what it has sealed, and seals the same text differently each time', () => {
    const ring = createKeyring(OLD)
    const [one, two] = [ring.seal('na1-secret', 'a'), ring.seal('na1-secret', 'a')]
    expect(ring.open(one, 'a')).toBe('na1-secret')
    expect(one.bytes.equals(two.bytes)).toBe(false)
    expect(one.bytes.toString('latin1')).not.toContain('na1-secret')
  })

  it('opens nothing that was changed, or that was sealed about something else', () => {
    const ring = createKeyring(OLD)
    const sealed = ring.seal('na1-secret', 'credential hubspot')
    for (const at of [0, 12, sealed.bytes.length - 1]) {
      const bytes = Buffer.from(sealed.bytes)
      bytes[at] = (bytes[at] ?? 0) ^ 1
      expect(() => ring.open({ ...sealed, bytes }, 'credential hubspot')).toThrow(ConfigError)
    }
    expect(() => ring.open(sealed, 'credential salesforce')).toThrow(ConfigError)
  })

  it('seals with the first key and opens with any, so that keys can change', () => {
    const sealed = createKeyring(OLD).seal('na1-secret', 'a')
    const both = createKeyring(`${NEW},${OLD}`)
    expect(both.open(sealed, 'a')).toBe('na1-secret')
    expect(both.seal('x', 'a').keyId).toBe(createKeyring(NEW).keyId)
    expect(() => createKeyring(NEW).open(sealed, 'a')).toThrow(createKeyring(OLD).keyId)
  })

  it('names a key without a part of it', () => {
    const id = createKeyring(OLD).keyId
    const key = Buffer.from(OLD, 'base64')
    expect(key.toString('hex')).not.toContain(id)
    expect(id).toMatch(/^[0-9a-f]{12}$/)
  })

  it.each([
    { name: 'nothing', text: '' },
    { name: 'sixteen bytes', text: randomBytes(16).toString('base64') },
    { name: 'hexadecimal', text: randomBytes(32).toString('hex') },
    { name: 'one good and one bad key', text: `${newKey()},x` },
  ])('is refused when it is $name, without a word of it', ({ text }) => {
    expect(keyringProblem(text)).toContain('openssl rand -base64 32')
    expect(() => createKeyring(text)).toThrow(ConfigError)
    if (text !== '') expect(keyringProblem(text)).not.toContain(text)
  })
})
