import {
  closeSync,
  existsSync,
  mkdirSync,
  openSync,
  readFileSync,
  renameSync,
  writeSync,
} from 'node:fs'
import { join } from 'node:path'

const FILE_NAME = 'hubspot-journal.jsonl'
const NEWLINE = 10

/**
 * Keeps every acknowledged write on disk, one JSON line for one request.
 *
 * A line is handed to the operating system before the request is answered, so that it outlives a
 * killed process. A torn last line is the trace of a write that nobody was told about.
 */
export class Journal<Entry> {
  private readonly path: string
  private fd: number | undefined

  constructor(dataDir: string) {
    mkdirSync(dataDir, { recursive: true })
    this.path = join(dataDir, FILE_NAME)
  }

  /** The stored entries, oldest first. */
  *replay(): Generator<Entry> {
    if (!existsSync(this.path)) return
    const bytes = readFileSync(this.path)
    let start = 0
    for (let end = bytes.indexOf(NEWLINE); end !== -1; end = bytes.indexOf(NEWLINE, start)) {
      yield JSON.parse(bytes.toString('utf8', start, end)) as Entry
      start = end + 1
    }
  }

  /** Replaces everything stored by `snapshot` and opens the file for appending. */
  restart(snapshot: Iterable<Entry>): void {
    const fresh = `${this.path}.new`
    const fd = openSync(fresh, 'w')
    let lines: string[] = []
    for (const entry of snapshot) {
      lines.push(JSON.stringify(entry))
      if (lines.length < 500) continue
      writeAll(fd, `${lines.join('\n')}\n`)
      lines = []
    }
    if (lines.length > 0) writeAll(fd, `${lines.join('\n')}\n`)
    closeSync(fd)
    renameSync(fresh, this.path)
    this.fd = openSync(this.path, 'a')
  }

  append(entry: Entry): void {
    if (this.fd === undefined) throw new Error('the journal is closed')
    writeAll(this.fd, `${JSON.stringify(entry)}\n`)
  }

  close(): void {
    if (this.fd !== undefined) closeSync(this.fd)
    this.fd = undefined
  }
}

function writeAll(fd: number, text: string): void {
  const bytes = Buffer.from(text)
  let written = 0
  while (written < bytes.length) written += writeSync(fd, bytes, written)
}
