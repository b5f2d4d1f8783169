import { sql } from 'kysely'
import type { ObjectMapping, PropertyMapping } from '../../core/mapping/crm-mapping.ts'
import { traitOf } from '../../core/mapping/field-policy.ts'
import type { Traits } from '../../core/scoring/features.ts'
import type { TraitValues } from '../../core/sync/desired-record.ts'
import type { Db } from './database.ts'
import { readTraits } from './trait-store.ts'

/**
 * What fills properties that are traits, by subject and property. Of what a CRM says itself counts nothing where
 * Ripen wins, and before all else where the CRM does; else what was told last.
 */
export async function readPropertyTraits(
  db: Db,
  crm: string,
  { properties }: Pick<ObjectMapping, 'properties'>,
  refs: readonly string[],
  now: Date,
): Promise<ReadonlyMap<string, TraitValues>> {
  const filled = filledByTraits(properties)
  if (filled.length === 0) return new Map()
  const at = { asOf: now }
  const all = await readTraits(db, refs, at)
  const isSplit = filled.some(({ winner }) => winner !== 'latest')
  const others = isSplit ? await readTraits(db, refs, at, crm) : all
  const said = isSplit ? await saidByCrm(db, crm, refs) : new Map<string, Traits>()
  const values = new Map<string, TraitValues>()
  for (const ref of refs) {
    const told = filled.flatMap(({ property, trait, winner }) => {
      const sides = { latest: [all], crm: [said, others], ripen: [others, said] }[winner]
      const value = sides.flatMap((side) => side.get(ref)?.[trait] ?? [])[0]
      return value === undefined ? [] : [[property, value] as const]
    })
    values.set(ref, Object.fromEntries(told))
  }
  return values
}

interface Filled {
  readonly property: string
  readonly trait: string
  readonly winner: 'latest' | 'crm' | 'ripen'
}

function filledByTraits(properties: Readonly<Record<string, PropertyMapping>>): Filled[] {
  return Object.entries(properties).flatMap(([property, p]) => {
    const trait = traitOf(p)
    return trait === null || p.policy === 'pull'
      ? []
      : [{ property, trait, winner: p.winner ?? 'latest' }]
  })
}

async function saidByCrm(
  db: Db,
  crm: string,
  refs: readonly string[],
): Promise<Map<string, Traits>> {
  const { rows } = await sql<{ about: string; name: string; value: string }>`
    select about, name, value from trait
    where origin = ${crm} and ended_at is null and about = any(${[...refs]}::text[])
    order by told_at, id`.execute(db)
  const said = new Map<string, Record<string, readonly string[]>>()
  for (const { about, name, value } of rows) {
    said.set(about, { ...said.get(about), [name]: [value] })
  }
  return said
}
