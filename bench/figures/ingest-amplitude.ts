import { mkdir, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { type ContenderResult, runContender } from '../child.ts'
import type { BenchContext, Figure, Measured } from '../figure.ts'
import type { ScanInput } from '../ingest/duckdb-scan.ts'
import { type GeneratedExport, generateExport } from '../ingest/export-file.ts'
import type { Ingested, IngestInput } from '../ingest/ripen.ts'
import { verifyIngestion } from '../ingest/verify.ts'
import { middleBy } from '../report.ts'

/** The same for DuckDB alone and for Ripen: its default memory, on two cores. */
const SETTINGS = { threads: 2, memoryMb: 512 }
/** What a small worker has; Ripen's process must fit, the database server runs beside it. */
const RSS_LIMIT_MB = 1024

const NODE_LOOP = new URL('../ingest/node-loop.ts', import.meta.url)
const NODE_LOOP_WHOLE = new URL('../ingest/node-loop-whole.ts', import.meta.url)
const DUCKDB_SCAN = new URL('../ingest/duckdb-scan.ts', import.meta.url)
const RIPEN = new URL('../ingest/ripen.ts', import.meta.url)

/** An Amplitude export from the zip to rollups and people, beside a Node loop and a bare DuckDB scan. */
export const ingestAmplitude: Figure = {
  name: 'ingest-amplitude',
  unit: 'events/s',
  async run(context) {
    const data = await generateExport(context.dir, context.sizeMb)
    const { rows } = data.expected
    context.note(
      `generated ${(data.bytes / 1e6).toFixed(0)} MB, ${rows} rows in ${data.hours} hours`,
    )
    const rounds: Round[] = []
    while (rounds.length < context.runs) {
      const round = await runRound(context, data, rounds.length)
      rounds.push(round)
      const [loop, whole, scan, ripen] = [round.loop, round.whole, round.scan, round.ripen].map(
        (r) => told(r, rows),
      )
      context.note(
        `run ${rounds.length}: node loop ${loop}; over whole files ${whole}; DuckDB scan ${scan}; Ripen ${ripen}`,
      )
    }
    return measure(rounds, rows)
  },
}

interface Round {
  readonly loop: ContenderResult
  readonly whole: ContenderResult
  readonly scan: ContenderResult
  readonly ripen: ContenderResult
}

/** All one after the other, so that a slow minute of the machine meets all of them. */
async function runRound(
  { dir, signal }: BenchContext,
  { zip, folder, expected }: GeneratedExport,
  index: number,
): Promise<Round> {
  const files = { folder }
  const own = join(dir, `run-${index}`)
  await mkdir(own)
  const loop = await runContender<typeof files, { rows: number }>(NODE_LOOP, files, signal)
  const whole = await runContender<typeof files, { rows: number }>(NODE_LOOP_WHOLE, files, signal)
  const scanInput = { ...files, ...SETTINGS, dir: join(own, 'scan') }
  const scan = await runContender<ScanInput, { rows: number }>(DUCKDB_SCAN, scanInput, signal)
  for (const { rows } of [loop, whole, scan]) {
    if (rows !== expected.rows) {
      throw new Error(`a baseline read ${rows} rows instead of ${expected.rows}`)
    }
  }
  const input = { zip, ...SETTINGS, dataDir: join(own, 'data') }
  const ripen = await runContender<IngestInput, Ingested>(RIPEN, input, signal)
  verifyIngestion(expected, ripen)
  await rm(own, { recursive: true, force: true })
  return { loop, whole, scan, ripen }
}

function measure(rounds: readonly Round[], rows: number): readonly Measured[] {
  return [
    compare('ingest-amplitude/vs-node-loop', rounds, rows, (round) => round.loop),
    compare('ingest-amplitude/vs-node-loop-whole-files', rounds, rows, (round) => round.whole),
    compare('ingest-amplitude/vs-duckdb-scan', rounds, rows, (round) => round.scan),
    {
      name: 'ingest-amplitude/peak-rss',
      value: Math.max(...rounds.map((round) => round.ripen.peakRssMb)),
      baseline: RSS_LIMIT_MB,
      unit: 'MB',
      lessIsBetter: true,
    },
  ]
}

/** Of the round with the middle ratio: value and baseline met the same minute of the machine. */
function compare(
  name: string,
  rounds: readonly Round[],
  rows: number,
  baselineOf: (round: Round) => ContenderResult,
): Measured {
  const round = middleBy(rounds, (r) => baselineOf(r).seconds / r.ripen.seconds)
  return { name, value: rows / round.ripen.seconds, baseline: rows / baselineOf(round).seconds }
}

const told = ({ seconds, cpuSeconds, peakRssMb }: ContenderResult, rows: number): string =>
  `${seconds.toFixed(2)} s (${Math.round(rows / seconds)} events/s, ${cpuSeconds.toFixed(1)} CPU s, ${Math.round(peakRssMb)} MB)`
