import { createHmac } from 'node:crypto'

/** Bytes that SHA-256 works on at once. */
const BLOCK = 64

/** Makes a text recognisable without being readable: HMAC-SHA256, in hexadecimal. */
export function seal(key: Buffer, text: string): string {
  return createHmac('sha256', key).update(text).digest('hex')
}

/**
 * The two paddings of HMAC (RFC 2104) in hexadecimal, for an engine that has SHA-256 only. The key is
 * no longer than a block.
 */
export function sealingPads(key: Buffer): { readonly inner: string; readonly outer: string } {
  const padded = Buffer.concat([key, Buffer.alloc(BLOCK - key.length)])
  const pad = (mask: number) => Buffer.from(padded.map((byte) => byte ^ mask)).toString('hex')
  return { inner: pad(0x36), outer: pad(0x5c) }
}
