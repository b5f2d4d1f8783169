import { chmod, mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import type { BenchContext } from './figure.ts'
import { FIGURES } from './registry.ts'
import {
  chooseFigures,
  exitCode,
  type Floors,
  judge,
  type ReportRow,
  toJson,
  toTable,
  WrongUseError,
} from './report.ts'

const OPTIONS = {
  json: { type: 'boolean', default: false },
  'size-mb': { type: 'string', default: '2000' },
  runs: { type: 'string', default: '3' },
} as const

function readArguments() {
  try {
    const { values, positionals } = parseArgs({ options: OPTIONS, allowPositionals: true })
    return {
      names: positionals,
      json: values.json,
      sizeMb: atLeastOne('--size-mb', values['size-mb']),
      runs: atLeastOne('--runs', values.runs),
    }
  } catch (error) {
    throw new WrongUseError(error instanceof Error ? error.message : String(error))
  }
}

function atLeastOne(option: string, text: string): number {
  const value = Number(text)
  if (!Number.isInteger(value) || value < 1) {
    throw new WrongUseError(`${option} must be a whole number from 1, not ${text}`)
  }
  return value
}

async function main(): Promise<number> {
  const { names, json, ...sizes } = readArguments()
  const floors = JSON.parse(
    await readFile(new URL('floors.json', import.meta.url), 'utf8'),
  ) as Floors
  const figures = chooseFigures(names, FIGURES, floors)
  const interruption = new AbortController()
  const interrupt = () => interruption.abort(new Error('interrupted'))
  process.once('SIGINT', interrupt).once('SIGTERM', interrupt)
  const rows: ReportRow[] = []
  let failures = 0
  for (const figure of figures) {
    const note = (text: string) => process.stderr.write(`${figure.name}: ${text}\n`)
    try {
      const measured = await inTemporaryFolder((dir) =>
        figure.run({ ...sizes, dir, note, signal: interruption.signal }),
      )
      rows.push(...judge(figure, measured, floors))
    } catch (error) {
      if (interruption.signal.aborted) throw interruption.signal.reason
      if (error instanceof WrongUseError) throw error
      failures++
      note(`failed: ${error instanceof Error ? error.message : String(error)}`)
    }
  }
  process.stdout.write(json ? toJson(rows) : toTable(rows))
  return exitCode(rows, failures)
}

async function inTemporaryFolder<T>(work: (dir: BenchContext['dir']) => Promise<T>): Promise<T> {
  const dir = await mkdtemp(join(tmpdir(), 'ripen-bench-'))
  try {
    // As root, the embedded server's account must get through to its data.
    await chmod(dir, 0o711)
    return await work(dir)
  } finally {
    await rm(dir, { recursive: true, force: true })
  }
}

try {
  process.exitCode = await main()
} catch (error) {
  process.stderr.write(`bench: ${error instanceof Error ? error.message : String(error)}\n`)
  process.exitCode = error instanceof WrongUseError ? 2 : 1
}
