import { sql } from 'kysely'
import type { Db, Tx } from './database.ts'

/** A message to somebody outside. */
export interface PlannedMessage {
  /** The same with every try. */
  readonly key: string
  /** Name of the variable that holds the address. */
  readonly addressVariable: string
  /** Name of the variable that holds what it is signed with; null for one that is not signed. */
  readonly secretVariable: string | null
  /** As it is sent. */
  readonly body: string
}

export interface DueMessage extends PlannedMessage {
  /** How often it was tried before. */
  readonly tries: number
}

export async function planMessage(tx: Tx, message: PlannedMessage, now: Date): Promise<void> {
  const { key, addressVariable, secretVariable, body } = message
  await sql`insert into playbook_message
      (key, address_variable, secret_variable, body, next_at, created_at)
    values (${key}, ${addressVariable}, ${secretVariable}, ${body}, ${now}, ${now})
    on conflict (key) do nothing`.execute(tx)
}

/**
 * Messages whose next try is due, oldest first.
 * @param unset variables without which a message cannot be sent: what needs one of them is left out.
 */
export async function dueMessages(
  db: Db,
  now: Date,
  limit: number,
  unset: readonly string[] = [],
): Promise<readonly DueMessage[]> {
  const { rows } = await sql<DueMessage>`select key, address_variable as "addressVariable",
      secret_variable as "secretVariable", body, tries
    from playbook_message where state = 'planned' and next_at <= ${now}
      and not address_variable = any(${[...unset]}::text[])
      and (secret_variable is null or not secret_variable = any(${[...unset]}::text[]))
    order by next_at, key limit ${limit}`.execute(db)
  return rows
}

/** What became of one try. */
export interface TriedMessage {
  readonly state: 'planned' | 'delivered' | 'dead'
  readonly reason: string | null
  /** When to try again. */
  readonly nextAt: Date
  readonly tries: number
}

export async function noteTry(db: Db, key: string, tried: TriedMessage): Promise<void> {
  await db
    .updateTable('playbook_message')
    .set({
      state: tried.state,
      reason: tried.reason,
      next_at: tried.nextAt,
      tries: tried.tries,
      // What is delivered is nobody's business any more.
      ...(tried.state === 'delivered' ? { body: '' } : {}),
    })
    .where('key', '=', key)
    .execute()
}

/** How many messages there are by state; of dead ones, why. */
export async function countMessages(
  db: Db,
): Promise<
  readonly { readonly state: string; readonly reason: string | null; readonly n: number }[]
> {
  const { rows } = await sql<{ state: string; reason: string | null; n: number }>`
    select state, case when state = 'dead' then reason end as reason, count(*)::int as n
    from playbook_message group by 1, 2 order by 1, 2`.execute(db)
  return rows
}
