import { randomUUID } from 'node:crypto'
import { rm } from 'node:fs/promises'
import { join } from 'node:path'
import { sql } from 'kysely'
import type { Connection } from '../../src/infra/lake/duck.ts'
import { quoted } from '../../src/infra/lake/paths.ts'
import { type SortedUsage, sortUsage } from '../../src/infra/lake/usage-shards.ts'
import {
  addMembers,
  clearMembers,
  type Membership,
  usageAsk,
} from '../../src/infra/lake/usage-table.ts'
import type { JobContext } from '../context.ts'
import { type NamedPerson, type Roster, rosterOf } from './score-features.ts'
import { rollupsKnownAt } from './score-known-at.ts'
import {
  actionsOf,
  membershipsOf,
  Numbering,
  type Rules,
  readNodes,
  readRules,
  SLOTS,
} from './score-roster.ts'
import type { LookTime } from './score-subjects.ts'

/** One shard of one plan. */
export interface Shard {
  /** Of the plan: shards of the same name share what was sorted for them. */
  readonly name: string
  readonly key: string
  readonly time: LookTime
  readonly slots: { readonly fromSlot: number; readonly toSlot: number }
}

/** Usage and people in the order of slots, as this process sorted them for one plan. */
export interface ShardUsage {
  readonly rules: Rules
  readonly usage: SortedUsage
  readonly peoplePath: string
}

/** Where a process keeps what it sorted; nobody else reads it. */
export interface ShardUsageHolder {
  current: { readonly name: string; readonly ready: Promise<ShardUsage> } | null
}

/**
 * Works on one shard. Whatever process does the first one of a plan sorts the usage of everybody once;
 * the last one takes it away.
 */
export async function withShardUsage<T>(
  context: JobContext,
  shard: Shard,
  work: (connection: Connection, rules: Rules, roster: Roster) => Promise<T>,
): Promise<T> {
  const { rules, usage, peoplePath } = await sorted(context, shard)
  const result = await context.duck.connect(async (connection) => {
    const rows = await connection.rows(
      `select number, id, account, account_id from read_parquet($path)
       where slot >= $from::integer and slot < $to::integer order by number`,
      { path: peoplePath, from: shard.slots.fromSlot, to: shard.slots.toSlot },
    )
    const named = rows.map(
      (row): NamedPerson => ({
        number: Number(row['number']),
        id: String(row['id']),
        account: row['account'] === null ? null : Number(row['account']),
        accountId: row['account_id'] as string | null,
      }),
    )
    const first = named[0]?.number ?? 0
    await usage.load(connection, first, first + named.length)
    return work(connection, rules, rosterOf(named))
  })
  if (await isLast(context, shard.key)) await dropShardUsage(context)
  return result
}

/** Takes away what was sorted. */
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

async function sorted(context: JobContext, shard: Shard): Promise<ShardUsage> {
  const { shardUsage } = context
  // Whoever was forgotten since may not come back by what was sorted before.
  const { rows } = await sql<{ n: number }>`select count(*) as n from forgotten`.execute(context.db)
  const name = `${shard.name} ${rows[0]?.n ?? 0}`
  if (shardUsage.current?.name !== name) {
    await dropShardUsage(context)
  }
  // Two shards of a plan may begin at once.
  shardUsage.current ??= { name, ready: sort(context, shard) }
  const { ready } = shardUsage.current
  return ready.catch((error: unknown) => {
    if (shardUsage.current?.ready === ready) shardUsage.current = null
    throw error
  })
}

async function sort(context: JobContext, { time }: Shard): Promise<ShardUsage> {
  const rules = await readRules(context.db, context.lakeDir)
  const dir = join(context.tmpDir, `shards-${randomUUID()}`)
  return context.duck.connect(async (connection) => {
    const known = time.knownAt && (await rollupsKnownAt(context, connection, rules, time.knownAt))
    try {
      await loadEverybody(context, connection)
      const { plan, live } = rules
      const ask = usageAsk([plan.person, plan.account], actionsOf(plan, time.asOf))
      const usage = await sortUsage(connection, dir, known?.rollups ?? live, ask)
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

/** Fills the temporary tables `member` and `people (number, id, account, account_id, slot)`. */
async function loadEverybody(context: JobContext, connection: Connection): Promise<void> {
  await clearMembers(connection)
  await connection.run(
    `create or replace temp table people
       (number integer, id varchar, account integer, account_id varchar, slot integer)`,
  )
  const numbering = new Numbering()
  for (let part = 0; part < PARTS; part++) {
    const slots = { fromSlot: (SLOTS / PARTS) * part, toSlot: (SLOTS / PARTS) * (part + 1) }
    const members: Membership[] = []
    const appender = await connection.raw.createAppender('people')
    for (const row of await readNodes(context.db, slots)) {
      const person = numbering.next(row)
      appender.appendInteger(person.number)
      appender.appendVarchar(person.id)
      if (person.account === null) appender.appendNull()
      else appender.appendInteger(person.account)
      if (person.accountId === null) appender.appendNull()
      else appender.appendVarchar(person.accountId)
      appender.appendInteger(row.slot)
      appender.endRow()
      members.push(...membershipsOf(person, row.nodes))
    }
    appender.closeSync()
    await addMembers(connection, members)
  }
}
