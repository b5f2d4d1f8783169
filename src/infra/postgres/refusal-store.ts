import { sql } from 'kysely'
import type { JoinKind } from '../../core/identity/identity-node.ts'
import type { People } from '../../core/identity/people.ts'
import type { Db, Tx } from './database.ts'

/** A join that was not made, and why. */
export interface Refusal {
  readonly a: string
  /** Empty where `a` joins nobody at all. */
  readonly b: string
  /** Why `a` is shared; or what would have joined `a` and `b`, who are not the same. */
  readonly kind: 'users' | 'links' | 'declared' | JoinKind
  /** How many others a shared id was seen with. */
  readonly identities: number
  readonly since: Date
}

/** Keeps what is refused now, each with the time since when it is. */
export async function storeRefusals(
  tx: Tx,
  { shared, refused }: Pick<People, 'shared' | 'refused'>,
): Promise<void> {
  const rows = [
    ...shared.map(({ node, identities, why }) => ({ a: node, b: '', kind: why, identities })),
    ...refused.map(({ a, b, kind }) => ({ a, b, kind, identities: 2 })),
  ]
  const table = sql`jsonb_to_recordset(${JSON.stringify(rows)}::jsonb)
    as n(a text, b text, kind text, identities integer)`
  await sql`delete from identity_refusal r
    where not exists (select from ${table} where n.a = r.a and n.b = r.b)`.execute(tx)
  await sql`insert into identity_refusal (a, b, kind, identities)
    select a, b, kind, identities from ${table}
    on conflict (a, b) do update set kind = excluded.kind, identities = excluded.identities
      where (identity_refusal.kind, identity_refusal.identities)
        is distinct from (excluded.kind, excluded.identities)`.execute(tx)
}

/** What is refused now: the ids with most others first. */
export async function readRefusals(db: Db): Promise<readonly Refusal[]> {
  const rows = await db
    .selectFrom('identity_refusal')
    .selectAll()
    .orderBy('identities', 'desc')
    .orderBy('a')
    .orderBy('b')
    .execute()
  return rows.map((row) => ({ ...row, kind: row.kind as Refusal['kind'] }))
}
