import { Buffer } from 'node:buffer'
import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { createGzip, gzipSync } from 'node:zlib'
import type { Response } from 'express'
import { type BytesFault, playBytes } from '../usage-faults.ts'

/** What can go wrong with the body of an export that began well. */
export type ExportFault =
  | BytesFault
  /** A 200 that stops early and says so in its last line. */
  | { readonly kind: 'terminated-early' }
  /** A line in the middle is cut in two. */
  | { readonly kind: 'broken-line' }
  /** The last line lacks its end. */
  | { readonly kind: 'no-last-newline' }
  /** The checksum of the compressed body is wrong; a plain body stays as it is. */
  | { readonly kind: 'bad-gzip-trailer' }
  /**
   * The body ends well on the wire but lacks its last `bytes`, 12 unless said otherwise; the trailer of a
   * compressed one has 8.
   */
  | { readonly kind: 'gzip-cut-short'; readonly bytes?: number }

/** Bodies up to this size are never compressed. */
const COMPRESS_ABOVE_BYTES = 1400

/** Streams the texts of an export, compressed when the client takes that and the body is large. */
export async function sendExport(res: Response, texts: Iterable<string>, gzip: boolean) {
  const rest = texts[Symbol.iterator]()
  let head = ''
  let next = rest.next()
  for (
    ;
    next.done !== true && Buffer.byteLength(head) <= COMPRESS_ABOVE_BYTES;
    next = rest.next()
  ) {
    head += next.value
  }
  function* whole(): Generator<string> {
    if (head !== '') yield head
    for (; next.done !== true; next = rest.next()) yield next.value
  }
  const source = Readable.from(whole(), { objectMode: true, highWaterMark: 1 })
  const small = Buffer.byteLength(head) <= COMPRESS_ABOVE_BYTES
  // A client that leaves in the middle is no failure of the server.
  const leave = () => res.destroy()
  if (small || !gzip) return pipeline(source, res).catch(leave)
  res.set('content-encoding', 'gzip')
  return pipeline(source, createGzip({ level: 4 }), res).catch(leave)
}

/** Sends an export that goes wrong. */
export async function sendFaultyExport(
  res: Response,
  texts: Iterable<string>,
  gzip: boolean,
  fault: ExportFault,
) {
  const text = spoilText([...texts].join(''), fault)
  const compress = gzip && Buffer.byteLength(text) > COMPRESS_ABOVE_BYTES
  if (compress) res.set('content-encoding', 'gzip')
  const bytes = compress ? gzipSync(text) : Buffer.from(text)
  if (fault.kind === 'half-body' || fault.kind === 'slow-drip') {
    await playBytes(res, bytes, fault)
    return
  }
  res.write(spoilBytes(bytes, compress, fault))
  res.end()
}

function spoilText(text: string, fault: ExportFault): string {
  const lines = text.split('\n')
  const middle = Math.floor((lines.length - 1) / 2)
  const line = lines[middle] ?? ''
  switch (fault.kind) {
    case 'terminated-early':
      return `${[...lines.slice(0, middle), 'terminated early'].join('\n')}\n`
    case 'broken-line':
      return lines.with(middle, line.slice(0, Math.floor(line.length / 2))).join('\n')
    case 'no-last-newline':
      return text.replace(/\n$/, '')
    default:
      return text
  }
}

function spoilBytes(bytes: Buffer, compressed: boolean, fault: ExportFault): Buffer {
  if (fault.kind === 'gzip-cut-short') return bytes.subarray(0, -(fault.bytes ?? 12))
  if (fault.kind !== 'bad-gzip-trailer' || !compressed) return bytes
  const spoilt = Buffer.from(bytes)
  spoilt.writeUInt32LE((spoilt.readUInt32LE(spoilt.length - 8) ^ 0xffff) >>> 0, spoilt.length - 8)
  return spoilt
}
