import { randomBytes } from 'node:crypto'

/**
 * Names this process in files that others read. In a restarted container process ids repeat, so a
 * random part tells this process from a dead one that had the same id.
 */
export const ownMark = `${process.pid}-${randomBytes(4).toString('hex')}`

/** Whether the process that a mark names may still run. */
export function isMarkAlive(mark: string): boolean {
  const pid = Number(mark.split('-')[0])
  return pid === process.pid ? mark === ownMark : isAlive(pid)
}

/** Whether a process exists, whoever owns it. A zombie counts. */
export function isAlive(pid: number): boolean {
  if (!Number.isInteger(pid) || pid <= 0) return false
  try {
    process.kill(pid, 0)
    return true
  } catch (error) {
    return error instanceof Error && 'code' in error && error.code === 'EPERM'
  }
}
