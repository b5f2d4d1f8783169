import { mkdir, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { type ContenderResult, runContender } from '../child.ts'
import type { BenchContext, Figure, Measured } from '../figure.ts'
import { generateAmplitudeExport } from '../ingest/amplitude-export.ts'
import type { ScanInput } from '../ingest/duckdb-scan.ts'
import type { GeneratedExport } from '../ingest/generated.ts'
import { generateMixpanelExport } from '../ingest/mixpanel-export.ts'
import type { Ingested, IngestInput } from '../ingest/ripen.ts'
import { verifyIngestion } from '../ingest/verify.ts'
import { middleBy } from '../report.ts'

/** The same for DuckDB alone and for Ripen: its default memory, on two cores. */
const SETTINGS = { threads: 2, memoryMb: 512 }
/** Bound on Ripen's process, whatever the size of the export; the database server runs beside it. */
const RSS_LIMIT_MB = 700

const script = (name: string) => new URL(`../ingest/${name}.ts`, import.meta.url)

type Generate = (dir: string, sizeMb: number) => Promise<GeneratedExport>

/** An export from the files to rollups and people, beside two Node loops and a bare DuckDB scan. */
function ingestFigure(source: 'amplitude' | 'mixpanel', generate: Generate): Figure {
  const name = `ingest-${source}`
  return {
    name,
    unit: 'events/s',
    async run(context) {
      const data = await generate(context.dir, context.sizeMb)
      const { rows } = data.expected
      context.note(
        `generated ${(data.bytes / 1e6).toFixed(0)} MB, ${rows} rows in ${data.parts} files`,
      )
      const rounds: Round[] = []
      while (rounds.length < context.runs) {
        const round = await runRound(context, data, rounds.length)
        rounds.push(round)
        const { loop, whole, scan, ripen } = round
        context.note(
          `run ${rounds.length}: node loop ${told(loop, rows)}; over whole files ${told(whole, rows)}; DuckDB scan ${told(scan, rows)}; Ripen ${told(ripen, rows)}`,
        )
      }
      return measure(name, rounds, rows)
    },
  }
}

export const ingestAmplitude = ingestFigure('amplitude', generateAmplitudeExport)
export const ingestMixpanel = ingestFigure('mixpanel', generateMixpanelExport)

interface Round {
  readonly loop: ContenderResult
  readonly whole: ContenderResult
  readonly scan: ContenderResult
  readonly ripen: ContenderResult
}

/** All one after the other, so that a slow minute of the machine meets all of them. */
async function runRound(
  { dir, signal }: BenchContext,
  { source, files, folder, expected }: GeneratedExport,
  index: number,
): Promise<Round> {
  const own = join(dir, `run-${index}`)
  await mkdir(own)
  const lines = { folder }
  type Counted = { rows: number }
  const loop = await runContender<typeof lines, Counted>(script(`${source}-loop`), lines, signal)
  const whole = await runContender<typeof lines, Counted>(
    script(`${source}-loop-whole`),
    lines,
    signal,
  )
  const scanInput = { ...lines, ...SETTINGS, source, dir: join(own, 'scan') }
  const scan = await runContender<ScanInput, Counted>(script('duckdb-scan'), scanInput, signal)
  for (const { rows } of [loop, whole, scan]) {
    if (rows !== expected.rows) {
      throw new Error(`a baseline read ${rows} rows instead of ${expected.rows}`)
    }
  }
  const input = { source, files, ...SETTINGS, dataDir: join(own, 'data') }
  const ripen = await runContender<IngestInput, Ingested>(script('ripen'), input, signal)
  verifyIngestion(expected, ripen)
  await rm(own, { recursive: true, force: true })
  return { loop, whole, scan, ripen }
}

function measure(name: string, rounds: readonly Round[], rows: number): readonly Measured[] {
  return [
    compare(`${name}/vs-node-loop`, rounds, rows, (round) => round.loop),
    compare(`${name}/vs-node-loop-whole-files`, rounds, rows, (round) => round.whole),
    compare(`${name}/vs-duckdb-scan`, rounds, rows, (round) => round.scan),
    {
      name: `${name}/peak-rss`,
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
