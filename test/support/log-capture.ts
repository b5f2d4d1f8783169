import { appendFileSync, mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { testServers } from './test-servers.ts'

/** Folder of the logs of everything that a run composes. */
export const logFolder = (runFolder: string): string => join(runFolder, 'logs')

/** Where this process keeps the logs of what it composes. */
function captureFile(): string {
  const folder = logFolder(testServers().folder)
  mkdirSync(folder, { recursive: true })
  return join(folder, `${process.pid}.jsonl`)
}

/** Takes log lines, to be looked through when the run is over. */
export function captureLogs(): { write(line: string): void } {
  const file = captureFile()
  return { write: (line) => appendFileSync(file, line) }
}

/** Takes the log lines out of what a command said to its user. */
export function captureCommand(stderr: string): void {
  const lines = stderr.split('\n').filter((line) => line.startsWith('{"level":'))
  if (lines.length > 0) appendFileSync(captureFile(), `${lines.join('\n')}\n`)
}
