import type { Pool } from 'pg'
import type { Objective } from '../src/core/freshness/objective.ts'
import type { SourceMapping } from '../src/core/mapping/source-mapping.ts'
import type { Crm } from '../src/core/ports/crm.ts'
import type { CrmStream } from '../src/core/ports/crm-stream.ts'
import type { CrmWebhook } from '../src/core/ports/crm-webhook.ts'
import type { UsageSource } from '../src/core/ports/usage-source.ts'
import type { UsageStream } from '../src/core/ports/usage-stream.ts'
import type { CrmSetup } from '../src/core/sync/crm-setup.ts'
import type { Duck } from '../src/infra/lake/duck.ts'
import type { FactTable } from '../src/infra/lake/fact-table.ts'
import type { RollupTable } from '../src/infra/lake/rollup-table.ts'
import type { Logger } from '../src/infra/logger.ts'
import type { AlertChannel } from '../src/infra/outbound/alert-channels.ts'
import type { Db } from '../src/infra/postgres/database.ts'
import type { Step } from '../src/infra/postgres/work.ts'
import type { ShardUsageHolder } from './steps/score-shards.ts'

/** How far a step has come, for a person who watches. */
export interface Progress {
  readonly step: Step
  readonly key: string
  readonly done: number
  readonly total: number
  readonly unit: string
}

/** A connected source: the connector and from when on it is pulled. */
export interface ConnectedSource {
  readonly source: UsageSource
  /** False when only files can be read, for want of credentials. */
  readonly online: boolean
  /** Variables that an online pull needs, for messages. */
  readonly variables: string
  readonly start: Date | null
}

/** A CRM whose credentials may be missing. */
export interface ConnectedCrm {
  /** Null when credentials are missing. The set-up is the mapping's. */
  readonly connect: ((setup: CrmSetup) => Crm) | null
  readonly variables: string
  /** Deadline of one call: a doubtful one is settled no earlier. */
  readonly callTimeoutMs: number
  /** How it tells what happens there; absent when it has no secret and address for that. */
  readonly webhook?: CrmWebhook
  /** A line on which it tells the same; absent when there is none. */
  readonly stream?: CrmStream
}

/** From which shares on something is told. */
export interface AlertLimits {
  /** Parked records, of those of a CRM. */
  readonly parkedShare: number
  /** Calls that are left, of those of a day. */
  readonly quotaLeft: number
}

/** Somebody made up who proves the whole path. */
export interface Canary {
  /** Of a contact that stands in each CRM for this. */
  readonly email: string
  /** How often it is let go. */
  readonly everyMs: number
  /** It must be in the CRM by then. */
  readonly withinMs: number
}

/** All that a job may use; built by `src/app/compose.ts`. */
export interface JobContext {
  readonly db: Db
  readonly pool: Pool
  readonly duck: Duck
  /**
   * For the path of what streams in: many small statements one after another, for each of which a second
   * thread costs more than it does.
   */
  readonly streamDuck: Duck
  /** For the step `identity` alone. */
  readonly facts: FactTable
  /** For the step `score` alone, when it looks at those who were touched. */
  readonly rollups: RollupTable
  /** For the step `score` alone. */
  readonly shardUsage: ShardUsageHolder
  /** People of one shard of the scores, at most: what is held in memory at a time. */
  readonly shardPeople: number
  readonly lakeDir: string
  readonly tmpDir: string
  readonly logger: Logger
  readonly clock: () => Date
  /** Where alerts are told; empty when nobody is to be told. */
  readonly alertChannels: readonly AlertChannel[]
  readonly alertLimits: AlertLimits
  /** Null when none is let go. */
  readonly canary: Canary | null
  /** How soon what is qualified is to be in a CRM. */
  readonly freshnessObjective: Objective
  /** A source whose pulls have not succeeded for so long missed its schedule. */
  readonly pullOverdueMs: number
  /** Sources that the environment connects; see `allSources` for those that the mapping declares. */
  readonly sources: ReadonlyMap<string, ConnectedSource>
  /** Makes a source of files that the mapping declares. */
  readonly declaredSource: (name: string, mapping: SourceMapping) => ConnectedSource
  /** Sources whose events come by webhook. */
  readonly streams: ReadonlyMap<string, UsageStream>
  readonly crms: ReadonlyMap<string, ConnectedCrm>
  /** What the environment says of a variable that a mapping names; null where it says nothing. */
  readonly variable: (name: string) => string | null
  /** Deadline of one message to somebody outside. */
  readonly outboundTimeoutMs: number
  /** Where people find this installation; null when nobody has said. */
  readonly publicUrl: string | null
  readonly onProgress: (progress: Progress) => void
}

/** A record that a run could not bring where it should be, and why. */
export interface RunEntry {
  readonly ref: string
  /**
   * `ignored`: the CRM left out a part of a task without a word; `refused`: a task cannot be closed, and
   * stays as it is; `finding`: something about the account that a person should know, and no record.
   */
  readonly outcome:
    | 'parked'
    | 'unlinked'
    | 'unknown'
    | 'several'
    | 'cleared'
    | 'ignored'
    | 'refused'
    | 'finding'
  readonly reason: string | null
  readonly correlationId: string | null
}

/** What a handler tells while it works: kept even if it fails later. */
export interface RunNotes {
  readonly note: (entry: RunEntry) => void
  readonly count: (name: string, n?: number) => void
  /** Wakes whoever follows, who has something to do before this run is over. */
  readonly wakeNext?: () => Promise<void>
}

/** What one run of a step did, in counts. */
export type Counts = Readonly<Record<string, number>>

/** What a step is asked when it shall look at nothing but what was touched; see `requestTouched`. */
export const TOUCHED = { touched: true } as const

/** One step: looks at the state, makes it so, and says what it did. */
export type StepHandler = (
  context: JobContext,
  key: string,
  params: Readonly<Record<string, unknown>> | null,
  signal: AbortSignal,
  run: RunNotes,
) => Promise<Counts>

/** Names of the CRMs whose credentials are there. */
export function connectedCrms({ crms }: Pick<JobContext, 'crms'>): ReadonlySet<string> {
  return new Set([...crms].flatMap(([name, { connect }]) => (connect ? [name] : [])))
}
