import { ConfigError } from '../../src/core/errors.ts'
import type { SqlQuery } from '../../src/core/ports/usage-source.ts'
import type { StagedEvent } from '../../src/core/ports/usage-stream.ts'
import { keptPlaces } from '../../src/core/usage/kept.ts'
import { type EventsPlan, joinWindows, writeEventsFile } from '../../src/infra/lake/events-file.ts'
import { readProfiles } from '../../src/infra/lake/profiles-reader.ts'
import { readPublished } from '../../src/infra/mappings/published.ts'
import { readForgotten } from '../../src/infra/postgres/forget-store.ts'
import {
  mergeableWindows,
  readStaged,
  SUB_WINDOW,
  swapMerged,
  swapStaged,
} from '../../src/infra/postgres/staging.ts'
import type { JobContext, StepHandler } from '../context.ts'
import { windowIsPast } from '../window-is-past.ts'

/** Most events in one file of the lake; the rest is taken at once after it. */
const MOST_EVENTS = 5_000
/** So many sub-windows of one hour and size become one. */
const MANY_WINDOWS = 8

/**
 * Takes what came by webhook into the lake, in order, as provisional sub-windows of the hours it
 * belongs to.
 */
export const stage: StepHandler = async (context, source, _params, signal) => {
  const stream = context.streams.get(source)
  if (!stream) throw new ConfigError(`nothing comes by webhook from ${source}`)
  await windowIsPast(context, signal)
  const { set, usageHash } = await readPublished(context.db)
  const kept = keptPlaces(set.usage)
  const forgotten = await readForgotten(context.db)
  const plan = { kept, facts: { usage: set.usage, usageHash }, forgotten, tellSeen: false }
  const counts = { events: 0, rows: 0, undated: 0, covered: 0, merged: 0 }
  for (;;) {
    const events = await readStaged(context.db, source, MOST_EVENTS)
    if (events.length === 0) break
    const query = inSubWindows(stream.eventsSql(events), events)
    const { file, profiles } = await context.streamDuck.connect(async (connection) => {
      const written = await writeEventsFile(connection, context.lakeDir, source, query, plan)
      return { file: written, profiles: await readProfiles(connection, context.lakeDir, written) }
    })
    const stagedIds = events.map(({ id }) => id)
    const receivedAt = events[0]?.receivedAt ?? new Date()
    const staged = { file, kept, stagedIds, receivedAt, profiles }
    const swapped = await swapStaged(context.db, source, staged, context.clock())
    counts.events += events.length
    counts.rows += swapped.rows
    counts.covered += swapped.covered
    counts.undated += file.undated
    // The next steps need not wait until everything is in.
    if (events.length < MOST_EVENTS || signal.aborted) break
  }
  counts.merged = await mergeSubWindows(context, source, plan)
  return counts
}

/** The first event's number tells sub-windows of one hour apart: it is taken out of staging once. */
function inSubWindows({ sql, params }: SqlQuery, events: readonly StagedEvent[]): SqlQuery {
  const sequence = String(events[0]?.id ?? 0).padStart(15, '0')
  return {
    sql: `select * replace (window_key || $suffix as window_key) from (${sql})`,
    params: { ...params, suffix: `${SUB_WINDOW}${sequence}` },
  }
}

/** @returns how many sub-windows went into others. */
async function mergeSubWindows(
  context: JobContext,
  source: string,
  plan: EventsPlan,
): Promise<number> {
  let merged = 0
  const many = await mergeableWindows(context.db, source, plan.kept, MANY_WINDOWS)
  for (const { keys: windows, fileIds } of many) {
    const [become] = windows
    if (become === undefined) continue
    const file = await context.streamDuck.connect((connection) =>
      joinWindows(connection, context.lakeDir, source, { fileIds, windows, become }, plan),
    )
    const { kept } = plan
    const done = await swapMerged(context.db, source, windows, { file, kept }, context.clock())
    if (done) merged += windows.length
  }
  return merged
}
