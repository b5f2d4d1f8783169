import { mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import { type ContenderResult, runContender } from '../child.ts'
import type { BenchContext, Figure, Measured } from '../figure.ts'
import { middleBy } from '../report.ts'
import type { Pipeline, PipelineInput, Timing } from '../score/pipeline.ts'
import type { Pure, PureInput } from '../score/pure.ts'
import { ownDatabase } from '../stream/installation.ts'

/** Goals: people from rollups to stored scores each second, and what a touched one in a hundred may cost. */
const PEOPLE_PER_SECOND = 10_000
const TOUCHED_SHARE = 0.05
const PURE_PER_SECOND = 100_000
const MILLION_SECONDS = 120
const MILLION_RSS_MB = 1500

const SOME = 100_000
const MANY = 1_000_000

const script = (name: string) => new URL(`../score/${name}.ts`, import.meta.url)

/** From rollups in the lake to stored scores, and scoring alone. */
export const score: Figure = {
  name: 'score',
  unit: 'people/s',
  async run(context) {
    const rounds: (Pipeline & ContenderResult)[] = []
    while (rounds.length < context.runs)
      rounds.push(await runPipeline(context, SOME, rounds.length))
    const pure = await runContender<PureInput, Pure>(
      script('pure'),
      { people: 20_000 },
      context.signal,
    )
    context.note(`scoring alone: ${Math.round(pure.people / pure.seconds)} people/s`)
    const first = middleBy(rounds, (round) => round.first.seconds)
    const share = middleBy(rounds, shareOf)
    return [
      {
        name: 'score/rollups-to-scores',
        value: first.people / first.first.seconds,
        baseline: PEOPLE_PER_SECOND,
      },
      {
        name: 'score/touched-share',
        value: shareOf(share),
        baseline: TOUCHED_SHARE,
        unit: 'of full',
        lessIsBetter: true,
      },
      { name: 'score/pure', value: pure.people / pure.seconds, baseline: PURE_PER_SECOND },
    ]
  },
}

/** A million people: minutes of generating, and 60 million rollup rows. */
export const scoreMillion: Figure = {
  name: 'score-million',
  unit: 's',
  async run(context): Promise<readonly Measured[]> {
    const result = await runPipeline(context, MANY, 0)
    return [
      {
        name: 'score-million/full-rescore',
        value: result.again.seconds,
        baseline: MILLION_SECONDS,
        lessIsBetter: true,
      },
      {
        name: 'score-million/peak-rss',
        value: result.peakRssMb,
        baseline: MILLION_RSS_MB,
        unit: 'MB',
        lessIsBetter: true,
      },
    ]
  },
}

const shareOf = ({ touched, again }: Pipeline): number => touched.seconds / again.seconds

async function runPipeline(
  { dir, signal, note }: BenchContext,
  people: number,
  index: number,
): Promise<Pipeline & ContenderResult> {
  const dataDir = join(dir, `score-${people}-${index}`)
  await mkdir(dataDir)
  const { DATABASE_URL: url } = process.env
  const database = url ? await ownDatabase(url) : null
  try {
    const input = { people, dataDir, databaseUrl: database?.url }
    const result = await runContender<PipelineInput, Pipeline>(script('pipeline'), input, signal)
    const wanted = people + Math.ceil(people / 4)
    if (result.scores !== wanted) {
      throw new Error(`${result.scores} scores instead of ${wanted}`)
    }
    note(
      `${people} people: first ${told(result.first, people)}; again ${told(result.again, people)}; ${result.touchedPeople} touched ${told(result.touched, result.touchedPeople)}; peak ${Math.round(result.peakRssMb)} MB`,
    )
    return result
  } finally {
    await database?.drop()
  }
}

const told = ({ seconds, cpuSeconds }: Timing, people: number): string =>
  `${seconds.toFixed(2)} s (${Math.round(people / seconds)} people/s, ${cpuSeconds.toFixed(1)} CPU s)`
