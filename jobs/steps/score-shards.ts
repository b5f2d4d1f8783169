import { randomUUID } from 'node:crypto'
import { rm } from 'node:fs/promises'
import { join } from 'node:path'
import { sql } from 'kysely'
import type { Connection } from '../../src/infra/lake/duck.ts'
import { quoted } from '../../src/infra/lake/paths.ts'
import { type SplitUsage, splitUsage } from '../../src/infra/lake/usage-shards.ts'
import {
  addMembers,
  clearMembers,
  type Membership,
  usageAsk,
} from '../../src/infra/lake/usage-table.ts'
import type { Db } from '../../src/infra/postgres/database.ts'
import type { JobContext } from '../context.ts'
import { type NamedPerson, type Roster, rosterOf } from './score-features.ts'
import { rollupsKnownAt } from './score-known-at.ts'
import {
  actionsOf,
  membershipsOf,
  type NodeRow,
  Numbering,
  type Rules,
  readNodes,
  readRules,
  SLOTS,
} from './score-roster.ts'
import type { LookTime } from './score-subjects.ts'

/** One shard of one plan. */
export interface Shard {
  /** Of the plan: shards of the same name share what was split for them. */
  readonly name: string
  readonly key: string
  readonly time: LookTime
  /** Which of how many, from 0. */
  readonly place: number
  readonly of: number
}

/** The first slot of a shard. */
const firstSlot = (place: number, of: number): number => Math.floor((SLOTS * place) / of)

/** Usage and people by shard, as this process split them for one plan. */
export interface ShardUsage {
  readonly rules: Rules
  readonly usage: SplitUsage
  readonly peoplePath: string
}

/** Where a process keeps what it split; nobody else reads it. */
export interface ShardUsageHolder {
  current: { readonly name: string; readonly ready: Promise<ShardUsage> } | null
}

/**
 * Works on one shard. Whatever process does the first one of a plan splits the usage of everybody
 * once; the last one takes it away.
 */
export async function withShardUsage<T>(
  context: JobContext,
  shard: Shard,
  work: (connection: Connection, rules: Rules, roster: Roster) => Promise<T>,
): Promise<T> {
  const { rules, usage, peoplePath } = await split(context, shard)
  const result = await context.duck.connect(async (connection) => {
    const rows = await connection.rows(
      `select number, id, account, account_id from read_parquet($path)
       where slot >= $from::integer and slot < $to::integer order by number`,
      {
        path: peoplePath,
        from: firstSlot(shard.place, shard.of),
        to: firstSlot(shard.place + 1, shard.of),
      },
    )
    const named = rows.map(
      (row): NamedPerson => ({
        number: Number(row['number']),
        id: String(row['id']),
        account: row['account'] === null ? null : Number(row['account']),
        accountId: row['account_id'] as string | null,
      }),
    )
    await usage.load(connection, shard.place)
    return work(connection, rules, rosterOf(named))
  })
  if (await isLast(context, shard.key)) await dropShardUsage(context)
  return result
}

/** Takes away what was split. */
export async function dropShardUsage({ shardUsage }: JobContext): Promise<void> {
  const { current } = shardUsage
  shardUsage.current = null
  const made = await current?.ready.catch(() => null)
  await made?.usage.remove()
}

async function isLast({ db }: JobContext, key: string): Promise<boolean> {
  const open = await db
    .selectFrom('work')
    .select('key')
    .where('step', '=', 'score')
    .where('key', 'not in', ['all', key])
    .whereRef('requested', '>', 'done')
    .limit(1)
    .executeTakeFirst()
  return open === undefined
}

async function split(context: JobContext, shard: Shard): Promise<ShardUsage> {
  const { shardUsage } = context
  // Whoever was forgotten since may not come back by what was split before.
  const { rows } = await sql<{ n: number }>`select count(*) as n from forgotten`.execute(context.db)
  const name = `${shard.name} ${rows[0]?.n ?? 0}`
  if (shardUsage.current?.name !== name) {
    await dropShardUsage(context)
  }
  // Two shards of a plan may begin at once.
  shardUsage.current ??= { name, ready: splitEverybody(context, shard) }
  const { ready } = shardUsage.current
  return ready.catch((error: unknown) => {
    if (shardUsage.current?.ready === ready) shardUsage.current = null
    throw error
  })
}

async function splitEverybody(context: JobContext, { time, of }: Shard): Promise<ShardUsage> {
  const rules = await readRules(context.db, context.lakeDir)
  const dir = join(context.tmpDir, `shards-${randomUUID()}`)
  return context.duck.connect(async (connection) => {
    const known = time.knownAt && (await rollupsKnownAt(context, connection, rules, time.knownAt))
    try {
      await loadEverybody(context, connection, of)
      const { plan, live } = rules
      const ask = usageAsk([plan.person, plan.account], actionsOf(plan, time.asOf))
      const usage = await splitUsage(connection, dir, known?.rollups ?? live, ask)
      const peoplePath = join(dir, 'people.parquet')
      await connection.run(`copy (select * from people) to ${quoted(peoplePath)} (format parquet)`)
      await connection.run('drop table people; drop table member')
      return { rules, usage, peoplePath }
    } catch (error) {
      await rm(dir, { recursive: true, force: true })
      throw error
    } finally {
      await known?.remove()
    }
  })
}

/** People are read from PostgreSQL in this many parts: nobody holds all of them. */
const PARTS = 32

/** The shard of a slot: the last one that begins no later. */
function partOf(slot: number, of: number): number {
  const near = Math.min(of - 1, Math.floor(((slot + 1) * of) / SLOTS))
  return firstSlot(near, of) > slot ? near - 1 : near
}

/** Fills the temporary tables `member` and `people (number, id, account, account_id, slot)`. */
async function loadEverybody(
  context: JobContext,
  connection: Connection,
  shards: number,
): Promise<void> {
  await clearMembers(connection)
  await connection.run(
    `create or replace temp table people
       (number integer, id varchar, account integer, account_id varchar, slot integer)`,
  )
  const numbering = new Numbering()
  for await (const rows of nodesInParts(context.db)) {
    const members: Membership[] = []
    const appender = await connection.raw.createAppender('people')
    for (const row of rows) {
      const person = numbering.next(row)
      appender.appendInteger(person.number)
      appender.appendVarchar(person.id)
      if (person.account === null) appender.appendNull()
      else appender.appendInteger(person.account)
      if (person.accountId === null) appender.appendNull()
      else appender.appendVarchar(person.accountId)
      appender.appendInteger(row.slot)
      appender.endRow()
      members.push(...membershipsOf(person, row.nodes, partOf(row.slot, shards)))
    }
    appender.closeSync()
    await addMembers(connection, members)
  }
}

/** Everybody in the order of slots; while one part is used, PostgreSQL looks for the next one. */
async function* nodesInParts(db: Db): AsyncGenerator<readonly NodeRow[]> {
  const read = (part: number) =>
    readNodes(db, { fromSlot: (SLOTS / PARTS) * part, toSlot: (SLOTS / PARTS) * (part + 1) })
  let next = read(0)
  for (let part = 1; part <= PARTS; part++) {
    const rows = await next
    if (part < PARTS) {
      next = read(part)
      // Whoever stops in between does not wait for it.
      next.catch(() => {})
    }
    yield rows
  }
}
