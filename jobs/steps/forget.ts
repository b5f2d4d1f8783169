import { readdir, rm } from 'node:fs/promises'
import { join } from 'node:path'
import type { Forgotten } from '../../src/infra/lake/drop-forgotten.ts'
import { rewriteWithout } from '../../src/infra/lake/events-file.ts'
import type { FactsMapping } from '../../src/infra/lake/facts-file.ts'
import { dropUnnamed } from '../../src/infra/lake/garbage.ts'
import { rollupWithout } from '../../src/infra/lake/rollup-file.ts'
import { readPublished } from '../../src/infra/mappings/published.ts'
import {
  addHashes,
  finishReceipt,
  openReceipts,
  readForgotten,
  tellReceipt,
} from '../../src/infra/postgres/forget-store.ts'
import { withLocks } from '../../src/infra/postgres/lock.ts'
import { storedSources } from '../../src/infra/postgres/manifest.ts'
import {
  findForgotten,
  removePeople,
  removeTraits,
} from '../../src/infra/postgres/remove-person.ts'
import {
  liveFiles,
  replaceEventsFile,
  replaceRollupFile,
} from '../../src/infra/postgres/replace-file.ts'
import { requestRollups } from '../../src/infra/postgres/rollup-generations.ts'
import { readWork, requestWork, type WorkRow, workLock } from '../../src/infra/postgres/work.ts'
import type { Counts, JobContext, StepHandler } from '../context.ts'
import { KNOWN_AT_PREFIX } from './score-known-at.ts'

/**
 * Removes everybody who asked for it from the lake and the database. No other step runs meanwhile: it
 * might have read her before and store her after. What is done is told to the receipt piece by piece,
 * so a run that breaks off is gone on with.
 */
export const forget: StepHandler = async (context, _key, _params, signal) => {
  const receipts = await openReceipts(context.db)
  if (receipts.length === 0) return { receipts: 0 }
  // First the one that makes rows of work for others: from here on there are no new shards of scores.
  const planner = [workLock('score', 'all')]
  return withLocks(context.pool, planner, signal, (lost) => forgetAll(context, receipts, lost))
}

async function forgetAll(
  context: JobContext,
  receipts: readonly string[],
  signal: AbortSignal,
): Promise<Counts> {
  // Whoever began to pull before the hashes were there has a row of work.
  const work = (await readWork(context.db)).filter(({ step }) => step !== 'forget')
  const pulled = work.filter(({ step }) => step === 'pull').map(({ key }) => key)
  const stored = await storedSources(context.db)
  const sources = [...new Set([...context.sources.keys(), ...stored, ...pulled])]
  return withLocks(context.pool, locksOf(context, work, sources), signal, async (lost) => {
    for (const id of receipts) await forgetOne(context, sources, id, lost)
    return { receipts: receipts.length }
  })
}

function locksOf(
  { crms }: JobContext,
  work: readonly WorkRow[],
  sources: readonly string[],
): string[] {
  const names = [
    ...work.map(({ step, key }) => workLock(step, key)),
    ...sources.flatMap((source) =>
      (['pull', 'stage', 'rollup', 'rebuild'] as const).map((step) => workLock(step, source)),
    ),
    ...(['identity', 'desire'] as const).map((step) => workLock(step, 'all')),
    ...[...crms.keys()].flatMap((crm) =>
      (['reconcile', 'listen'] as const).map((step) => workLock(step, crm)),
    ),
  ]
  // Held already.
  return [...new Set(names)].filter((name) => name !== workLock('score', 'all')).sort()
}

async function forgetOne(
  context: JobContext,
  sources: readonly string[],
  receiptId: string,
  signal: AbortSignal,
): Promise<void> {
  const { db } = context
  // Ids that were found to be hers after she asked.
  const before = await findForgotten(db, await readForgotten(db, receiptId))
  await addHashes(db, receiptId, before.nodes)
  const forgotten = await readForgotten(db, receiptId)
  await rewriteEvents(context, receiptId, forgotten, signal)
  await rewriteRollups(context, receiptId, forgotten, signal)
  signal.throwIfAborted()
  await db.transaction().execute(async (tx) => {
    const { rows, inCrm } = await removePeople(tx, await findForgotten(tx, forgotten))
    const said = await removeTraits(tx, forgotten)
    const removed = said > 0 ? { ...rows, trait: (rows['trait'] ?? 0) + said } : rows
    await tellReceipt(tx, receiptId, { removed: { rows: removed, files: [] }, inCrm })
    for (const source of await storedSources(db)) await requestRollups(tx, source)
    await requestWork(tx, 'identity', 'all')
  })
  await dropUnnamed(db, context.lakeDir, sources)
  await dropLeftovers(context.tmpDir, sources)
  await finishReceipt(db, receiptId, context.clock())
}

async function rewriteEvents(
  context: JobContext,
  receiptId: string,
  forgotten: Forgotten,
  signal: AbortSignal,
): Promise<void> {
  const files = await liveFiles(context.db, 'events')
  if (files.length === 0) return
  const { set, usageHash } = await readPublished(context.db)
  const facts: FactsMapping = { usage: set.usage, usageHash }
  for (const { id, source, kept, parts } of files) {
    signal.throwIfAborted()
    const windows = { fileIds: [id], windows: parts }
    const written = await context.duck.connect((c) =>
      rewriteWithout(c, context.lakeDir, source, windows, { kept, facts, forgotten }),
    )
    if (written === null) continue
    await context.db.transaction().execute(async (tx) => {
      await replaceEventsFile(tx, { id, source, kept }, written.file)
      const told = [{ file: id, rows: written.events }]
      await tellReceipt(tx, receiptId, { removed: { rows: {}, files: told } })
    })
  }
}

/** Rollups are rebuilt anyway; until then nothing of hers may lie there either. */
async function rewriteRollups(
  context: JobContext,
  receiptId: string,
  forgotten: Forgotten,
  signal: AbortSignal,
): Promise<void> {
  for (const { id, source, parts } of await liveFiles(context.db, 'rollup')) {
    signal.throwIfAborted()
    const live = parts.map((partition) => ({ fileId: id, partition }))
    const written = await context.duck.connect((c) =>
      rollupWithout(c, context.lakeDir, source, live, forgotten),
    )
    if (written === null) continue
    await context.db.transaction().execute(async (tx) => {
      await replaceRollupFile(tx, { id, source }, written.file)
      const files = [{ file: id, rows: written.rows }]
      await tellReceipt(tx, receiptId, { removed: { rows: {}, files } })
    })
  }
}

/** What killed pulls downloaded and killed scores rolled up, and nobody cleared away. */
async function dropLeftovers(tmpDir: string, sources: readonly string[]): Promise<void> {
  const prefixes = [...sources.map((source) => `${source}-`), KNOWN_AT_PREFIX]
  for (const name of await readdir(tmpDir).catch(() => [])) {
    const left = prefixes.some((prefix) => name.startsWith(prefix))
    if (left) await rm(join(tmpDir, name), { recursive: true, force: true })
  }
}
