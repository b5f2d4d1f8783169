import { createCipheriv, createDecipheriv, createHash, randomBytes } from 'node:crypto'
import { ConfigError } from '../../core/errors.ts'

const CIPHER = 'aes-256-gcm'
const KEY_BYTES = 32
/** The length that GCM is made for. */
const NONCE_BYTES = 12
const TAG_BYTES = 16

/** Something encrypted, and the key that opens it. */
export interface Sealed {
  readonly keyId: string
  /** Nonce, tag, then the text. */
  readonly bytes: Buffer
}

/** Encrypts for the table `credential`; opens what any of its keys has sealed. */
export interface Keyring {
  /** `about` is bound to the text: sealed bytes that are moved to another row do not open. */
  seal(text: string, about: string): Sealed
  /** @throws {ConfigError} when the key is not there any more, or the bytes were changed. */
  open(sealed: Sealed, about: string): string
  /** Id of the key that seals: what bears another one is sealed again when it is next written. */
  readonly keyId: string
}

/** What is wrong with RIPEN_ENCRYPTION_KEY; null when it can be used. */
export function keyringProblem(text: string): string | null {
  const right = text.split(',').every((part) => readKey(part) !== null)
  return right
    ? null
    : 'must be 32 random bytes in base64 (openssl rand -base64 32), or several such keys with commas, the newest first'
}

/**
 * Reads RIPEN_ENCRYPTION_KEY: the first key seals, all of them open.
 * @throws {ConfigError} without any part of it in the message.
 */
export function createKeyring(text: string): Keyring {
  const problem = keyringProblem(text)
  if (problem !== null) throw new ConfigError(`RIPEN_ENCRYPTION_KEY ${problem}`)
  const keys = text.split(',').map((part) => readKey(part) ?? Buffer.alloc(0))
  const byId = new Map(keys.map((key) => [idOf(key), key]))
  const [first = Buffer.alloc(0)] = keys
  const keyId = idOf(first)
  return {
    keyId,
    seal: (plain, about) => ({ keyId, bytes: encrypt(first, plain, about) }),
    open({ keyId: wanted, bytes }, about) {
      const key = byId.get(wanted)
      if (!key) {
        throw new ConfigError(
          `RIPEN_ENCRYPTION_KEY lacks the key ${wanted} that the stored credentials were encrypted with; add it after the newest one with a comma, or connect again`,
        )
      }
      return decrypt(key, bytes, about)
    },
  }
}

function readKey(part: string): Buffer | null {
  const trimmed = part.trim()
  if (!/^[A-Za-z0-9+/_-]{43}=?$/.test(trimmed)) return null
  const key = Buffer.from(trimmed, 'base64')
  return key.length === KEY_BYTES ? key : null
}

/** Names a key without saying anything about it. */
function idOf(key: Buffer): string {
  return createHash('sha256').update('ripen key id').update(key).digest('hex').slice(0, 12)
}

function encrypt(key: Buffer, plain: string, about: string): Buffer {
  const nonce = randomBytes(NONCE_BYTES)
  const cipher = createCipheriv(CIPHER, key, nonce, { authTagLength: TAG_BYTES })
  cipher.setAAD(Buffer.from(about))
  const text = Buffer.concat([cipher.update(plain, 'utf8'), cipher.final()])
  return Buffer.concat([nonce, cipher.getAuthTag(), text])
}

function decrypt(key: Buffer, bytes: Buffer, about: string): string {
  const nonce = bytes.subarray(0, NONCE_BYTES)
  const tag = bytes.subarray(NONCE_BYTES, NONCE_BYTES + TAG_BYTES)
  try {
    const decipher = createDecipheriv(CIPHER, key, nonce, { authTagLength: TAG_BYTES })
    decipher.setAAD(Buffer.from(about))
    decipher.setAuthTag(tag)
    const text = bytes.subarray(NONCE_BYTES + TAG_BYTES)
    return Buffer.concat([decipher.update(text), decipher.final()]).toString('utf8')
  } catch {
    throw new ConfigError('stored credentials cannot be opened: they were changed; connect again')
  }
}
