import { randomBytes } from 'node:crypto'
import { readFile, rename, rm, stat, utimes, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { errorCode } from './failure.ts'
import { isMarkAlive, ownMark } from './process-mark.ts'

const beatMs = 2_000
const silenceMs = 15_000

/**
 * Takes the right to set up or start the server; undefined while another process has it. It only
 * spares work when several commands start at once: correctness rests on renames and on PostgreSQL's
 * own lock, so a holder that died, or has been silent for 15 s, simply loses it.
 */
export async function tryStartLock(dataDir: string): Promise<(() => Promise<void>) | undefined> {
  const path = join(dataDir, 'pg.lock')
  if (!(await take(path))) {
    if (!(await isAbandoned(path))) return undefined
    await discard(path)
    if (!(await take(path))) return undefined
  }
  const beat = setInterval(() => {
    const now = new Date()
    utimes(path, now, now).catch(() => undefined)
  }, beatMs)
  beat.unref()
  return async () => {
    clearInterval(beat)
    await rm(path, { force: true })
  }
}

async function take(path: string): Promise<boolean> {
  try {
    await writeFile(path, ownMark, { flag: 'wx', mode: 0o644 })
    return true
  } catch (error) {
    if (errorCode(error) === 'EEXIST') return false
    throw error
  }
}

async function isAbandoned(path: string): Promise<boolean> {
  try {
    const mark = await readFile(path, 'utf8')
    const { mtimeMs } = await stat(path)
    // Empty for an instant, between its creation and the write.
    const dead = mark !== '' && !isMarkAlive(mark)
    return dead || Date.now() - mtimeMs > silenceMs
  } catch {
    return false
  }
}

async function discard(path: string): Promise<void> {
  const aside = `${path}.${ownMark}-${randomBytes(4).toString('hex')}`
  await rename(path, aside).catch(() => undefined)
  await rm(aside, { force: true })
}
