import { sql } from 'kysely'

/** People and all that names them in the database. */
export interface Named {
  /** Ids of ours, those that ended in a merge among them. */
  readonly ids: readonly string[]
  readonly nodes: readonly string[]
  readonly emails: readonly string[]
}

/** True where a text names one of the people: an id of ours or an address. */
export const names = ({ ids, emails }: Named, text: string) =>
  sql<boolean>`exists (select from unnest(${[...ids, ...emails]}::text[]) n
    where strpos(lower(${sql.raw(text)}), n) > 0)`
