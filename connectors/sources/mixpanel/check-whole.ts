import { open } from 'node:fs/promises'

const TAIL_BYTES = 512

/**
 * Why an export was cut short, or null. Mixpanel answers 200 before it starts to stream, so it can
 * only say inside the body that it stopped: with a last line `terminated early`, or not at all.
 */
export async function checkWhole(path: string): Promise<string | null> {
  const file = await open(path)
  try {
    const { size } = await file.stat()
    if (size === 0) return null
    const length = Math.min(TAIL_BYTES, size)
    const { buffer } = await file.read(Buffer.alloc(length), 0, length, size - length)
    const tail = buffer.toString('utf8')
    if (/(^|\n)[^{\n]*terminated early\s*$/.test(tail)) return 'was terminated early by Mixpanel'
    return tail.endsWith('\n') ? null : 'is cut short (the last line has no end)'
  } finally {
    await file.close()
  }
}
