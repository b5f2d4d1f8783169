import { foldRollups, writeAddedRollup } from '../../src/infra/lake/rollup-added.ts'
import type { Tx } from '../../src/infra/postgres/database.ts'
import { markDays } from '../../src/infra/postgres/manifest.ts'
import {
  type AddedDay,
  addPart,
  daysOfManyParts,
  dropAdded,
  holdGeneration,
  type RollupState,
  readRollupState,
  replaceParts,
} from '../../src/infra/postgres/rollup-parts.ts'
import type { JobContext } from '../context.ts'
import type { RollupTarget } from './roll-days.ts'

/** So many files beside the rollup of a day become one. */
const MANY_PARTS = 8

export interface RolledAdded {
  /** Days are left that have to be rebuilt. */
  readonly dirty: boolean
  /** What was to join the transaction did. */
  readonly passed: boolean
  /** Rows that were added. */
  readonly rows: number
}

/**
 * Adds windows that streamed in to the live rollups of their days, without reading the rest of the day
 * but for the keys of its events. Days that are to be rebuilt are left alone: that counts the added
 * windows as well.
 * @param andThen joins the transaction when no day is left to be rebuilt.
 */
export async function rollAdded(
  context: JobContext,
  { source, generation, usage }: RollupTarget,
  andThen: (tx: Tx) => Promise<void>,
): Promise<RolledAdded> {
  const state = await readRollupState(context.db, source, generation)
  const { ready, unsure } = addable(state)
  const isLeft = state.dirty.size > 0 || unsure.length > 0
  if (ready.length === 0 && unsure.length === 0) return { dirty: isLeft, passed: false, rows: 0 }
  const keys = new Set(ready.map(({ windowKey }) => windowKey))
  const windows = {
    days: [...new Set(ready.map(({ day }) => day))],
    added: state.live.filter((part) => keys.has(part.partition)),
    others: state.live.filter((part) => !keys.has(part.partition)),
  }
  const written = await context.streamDuck.connect((c) =>
    writeAddedRollup(c, context.lakeDir, source, windows, usage),
  )
  const { id, rows, bytes, eventsByDay } = written
  const rebuild = [...unsure, ...written.differing]
  const done = ready.filter(({ day }) => !rebuild.includes(day))
  const dirty = isLeft || rebuild.length > 0
  await context.db.transaction().execute(async (tx) => {
    if (await holdGeneration(tx, generation)) {
      await markDays(tx, source, rebuild, generation)
      await dropAdded(tx, source, generation, done)
      const file = id === null ? null : { id, source, rows, bytes }
      await addPart(tx, source, generation, file, eventsByDay)
    }
    if (!dirty) await andThen(tx)
  })
  return { dirty, passed: !dirty, rows }
}

/**
 * The days of added windows that are not to be rebuilt anyway. Of a window all such days have to be
 * added at once; those of one that was added in part are not to be told apart, and are rebuilt.
 */
function addable({ dirty, added, live }: RollupState): {
  readonly ready: readonly AddedDay[]
  readonly unsure: readonly string[]
} {
  const some = added.filter(({ day }) => !dirty.has(day))
  const days = new Set(some.map(({ day }) => day))
  const keys = new Set(some.map(({ windowKey }) => windowKey))
  const pairs = new Set(some.map(({ day, windowKey }) => `${day} ${windowKey}`))
  const unsure = new Set<string>()
  for (const part of live) {
    if (!keys.has(part.partition)) continue
    for (const day of part.days) {
      if (days.has(day) && !pairs.has(`${day} ${part.partition}`)) unsure.add(day)
    }
  }
  return { ready: some.filter(({ day }) => !unsure.has(day)), unsure: [...unsure] }
}

/** Makes few files of many that lie beside the rollup of a day. */
export async function foldManyParts(
  context: JobContext,
  source: string,
  generation: string,
): Promise<number> {
  let folded = 0
  for (const day of await daysOfManyParts(context.db, source, generation, MANY_PARTS)) {
    // The large file is not written again for a little more in it.
    const isBase = day.partRows * 2 >= day.baseRows
    const files = [...day.parts, ...(isBase && day.base ? [day.base] : [])]
    const parts = files.map((fileId) => ({ fileId, partition: day.day }))
    const written = await context.streamDuck.connect((c) =>
      foldRollups(c, context.lakeDir, source, parts),
    )
    const { id, rows, bytes } = written
    if (id === null) continue
    await context.db
      .transaction()
      .execute((tx) => replaceParts(tx, generation, day, { id, source, rows, bytes }, isBase))
    folded += files.length
  }
  return folded
}
