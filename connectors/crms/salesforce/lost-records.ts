import { isSyncFailure } from '../../../src/core/errors.ts'
import { idsOf } from './objects.ts'
import { idOf, literalBytes, queriesFor, runQueries, textOf } from './query.ts'
import type { Session } from './session.ts'
import { name, soql } from './soql.ts'

/** A record may have been merged more than once. */
const MOST_HOPS = 5

/** As `findHeirs`; null as a whole when it could not be asked. */
export async function heirsOf(
  session: Session,
  ids: readonly string[],
  signal: AbortSignal,
): Promise<ReadonlyMap<string, string | null> | null> {
  try {
    return await findHeirs(session, ids, signal)
  } catch (error) {
    if (isSyncFailure(error)) return null
    throw error
  }
}

/**
 * Where records are now: by id of what is gone, the record that it was merged or converted into, or null
 * when it is only gone. A record that is still there is absent.
 */
export async function findHeirs(
  session: Session,
  ids: readonly string[],
  signal: AbortSignal,
): Promise<ReadonlyMap<string, string | null>> {
  const known = new Map<string, Fate>()
  let open = ids
  for (let hop = 0; hop < MOST_HOPS && open.length > 0; hop++) {
    const fates = await fatesOf(session, open, signal)
    for (const id of open) known.set(id, fates.get(id) ?? 'gone')
    open = [...new Set([...fates.values()].flatMap((fate) => heirIn(fate) ?? []))].filter(
      (id) => !known.has(id),
    )
  }
  return new Map(
    ids.flatMap((id): [string, string | null][] => {
      if (known.get(id) === 'there') return []
      return [[id, lastHeir(id, known)]]
    }),
  )
}

type Fate = 'there' | 'gone' | { readonly heir: string }

const heirIn = (fate: Fate): string | null => (typeof fate === 'object' ? fate.heir : null)

function lastHeir(id: string, known: ReadonlyMap<string, Fate>): string | null {
  let at: string = id
  for (let hop = 0; hop <= MOST_HOPS; hop++) {
    const fate = known.get(at)
    if (fate === 'there') return at
    const heir = fate === undefined ? null : heirIn(fate)
    if (heir === null) return null
    at = heir
  }
  return null
}

async function fatesOf(
  session: Session,
  ids: readonly string[],
  signal: AbortSignal,
): Promise<Map<string, Fate>> {
  const queries = (['Contact', 'Lead', 'Account'] as const).flatMap((object) => {
    const more = object === 'Lead' ? ', IsConverted, ConvertedContactId' : ''
    return queriesFor(idsOf(object, ids), literalBytes, (some) => {
      const columns = { text: `Id, IsDeleted, MasterRecordId${more}` }
      return soql`SELECT ${columns} FROM ${name(object)} WHERE Id IN ${some}`
    })
  })
  const rows = (await runQueries(session, queries, signal, { withDeleted: true })).flat()
  return new Map(
    rows.map((row): [string, Fate] => {
      const heir =
        row['IsConverted'] === true
          ? textOf(row, 'ConvertedContactId')
          : row['IsDeleted'] === true
            ? textOf(row, 'MasterRecordId')
            : null
      if (heir !== null) return [idOf(row), { heir }]
      const isGone = row['IsDeleted'] === true || row['IsConverted'] === true
      return [idOf(row), isGone ? 'gone' : 'there']
    }),
  )
}
