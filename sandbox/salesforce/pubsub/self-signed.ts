import { createSign, generateKeyPair, randomBytes } from 'node:crypto'
import { promisify } from 'node:util'

/** A key and the certificate that goes with it, as PEM. */
export interface KeyAndCertificate {
  readonly key: string
  readonly cert: string
}

const SEQUENCE = 0x30
const SET = 0x31
const INTEGER = 0x02
const BIT_STRING = 0x03
const OCTET_STRING = 0x04
const NULL = 0x05
const OBJECT_ID = 0x06
const UTF8_STRING = 0x0c
const UTC_TIME = 0x17
const CONTEXT_0 = 0xa0
const CONTEXT_3 = 0xa3

const SHA256_RSA = '1.2.840.113549.1.1.11'
const COMMON_NAME = '2.5.4.3'
const ALT_NAME = '2.5.29.17'
const YEAR_MS = 365 * 86_400_000

/** A certificate for loopback that nobody vouches for, good for a year. */
export async function selfSigned(): Promise<KeyAndCertificate> {
  const { publicKey, privateKey } = await promisify(generateKeyPair)('rsa', {
    modulusLength: 2048,
    publicKeyEncoding: { type: 'spki', format: 'der' },
    privateKeyEncoding: { type: 'pkcs8', format: 'pem' },
  })
  const algorithm = der(SEQUENCE, objectId(SHA256_RSA), der(NULL))
  const name = der(
    SEQUENCE,
    der(SET, der(SEQUENCE, objectId(COMMON_NAME), der(UTF8_STRING, Buffer.from('127.0.0.1')))),
  )
  const now = Date.now()
  const body = der(
    SEQUENCE,
    der(CONTEXT_0, der(INTEGER, Buffer.from([2]))),
    der(INTEGER, Buffer.concat([Buffer.from([1]), randomBytes(8)])),
    algorithm,
    name,
    der(SEQUENCE, utcTime(now - 3_600_000), utcTime(now + YEAR_MS)),
    name,
    publicKey,
    der(CONTEXT_3, der(SEQUENCE, der(SEQUENCE, objectId(ALT_NAME), der(OCTET_STRING, altNames())))),
  )
  const signature = createSign('RSA-SHA256').update(body).sign(privateKey)
  const whole = der(SEQUENCE, body, algorithm, der(BIT_STRING, Buffer.from([0]), signature))
  const lines = whole.toString('base64').match(/.{1,64}/g) ?? []
  const cert = `-----BEGIN CERTIFICATE-----\n${lines.join('\n')}\n-----END CERTIFICATE-----\n`
  return { key: privateKey, cert }
}

function altNames(): Buffer {
  return der(SEQUENCE, der(0x82, Buffer.from('localhost')), der(0x87, Buffer.from([127, 0, 0, 1])))
}

/** A value with its tag and length. */
function der(tag: number, ...parts: readonly Buffer[]): Buffer {
  const content = Buffer.concat(parts)
  const { length } = content
  if (length < 0x80) return Buffer.concat([Buffer.from([tag, length]), content])
  const bytes = length < 0x100 ? [0x81, length] : [0x82, length >> 8, length & 0xff]
  return Buffer.concat([Buffer.from([tag, ...bytes]), content])
}

function objectId(dotted: string): Buffer {
  const [first = 0, second = 0, ...rest] = dotted.split('.').map(Number)
  const bytes = [first * 40 + second]
  for (const number of rest) {
    const groups = [number & 0x7f]
    for (let left = number >>> 7; left > 0; left >>>= 7) groups.unshift((left & 0x7f) | 0x80)
    bytes.push(...groups)
  }
  return der(OBJECT_ID, Buffer.from(bytes))
}

function utcTime(at: number): Buffer {
  const text = new Date(at).toISOString().replace(/\D/g, '').slice(2, 14)
  return der(UTC_TIME, Buffer.from(`${text}Z`))
}
