import { dealsSay } from '../../src/core/scoring/sales.ts'
import type { Tx } from '../../src/infra/postgres/database.ts'
import {
  dealSubjects,
  dealWord,
  readDealsOf,
  type SeenDeal,
  storeDeals,
} from '../../src/infra/postgres/deal-store.ts'
import { type DueLook, dueDealLooks, noteLooks } from '../../src/infra/postgres/look-store.ts'
import { storeDealSales } from '../../src/infra/postgres/sales-store.ts'
import { touchAbout } from '../../src/infra/postgres/trait-subjects.ts'
import { aboutOf, dueBefore, type ReadScope } from './read-scope.ts'

/** Records whose associations are read in one call. */
const SLICE = 1_000
/** Most records in one run, so that a large portal does not hold up what is to be written. */
const MOST = 20_000
/** How much deals weigh against the property of `sales-status`, which has 0. */
const WEIGHTS = { latest: 0, deals: 1, property: -1 } as const

/**
 * Reads the deals of records that are due, and what they say of how it stands with sales. Who has another
 * sales status by it is marked for scoring.
 */
export async function readDeals(scope: ReadScope): Promise<void> {
  const { context, crm, mapping } = scope
  if (!mapping.deals) return
  const now = context.clock()
  const due = { crm: crm.name, before: dueBefore(mapping, now), limit: MOST }
  const looks = await dueDealLooks(context.db, due)
  for (let at = 0; at < looks.length; at += SLICE) {
    await readSome(scope, looks.slice(at, at + SLICE), now)
  }
}

async function readSome(scope: ReadScope, looks: readonly DueLook[], now: Date): Promise<void> {
  const { context, crm, signal, run } = scope
  const deals = await crm.dealsOf(aboutOf(looks), signal)
  const refs = looks.map(({ ref }) => ref)
  const refsOf = refsByCrmId(looks)
  const seen = deals.map((deal): SeenDeal => {
    const contacts = deal.contactIds.flatMap((id) => refsOf.get(`contact ${id}`) ?? [])
    const companies = deal.companyIds.flatMap((id) => refsOf.get(`company ${id}`) ?? [])
    return { deal, refs: [...contacts, ...companies] }
  })
  const changed = await context.db.transaction().execute(async (tx) => {
    await storeDeals(tx, crm.name, refs, seen, now)
    const abouts = await storeWords(tx, scope, refs, now)
    await noteLooks(tx, crm.name, 'deals', looks, now)
    await touchAbout(tx, abouts)
    return abouts.length
  })
  run.count('dealsRead', deals.length)
  run.count('fieldsChanged', changed)
}

function refsByCrmId(looks: readonly DueLook[]): ReadonlyMap<string, readonly string[]> {
  const refs = new Map<string, string[]>()
  for (const { object, crmId, ref } of looks) {
    const key = `${object} ${crmId}`
    refs.set(key, [...(refs.get(key) ?? []), ref])
  }
  return refs
}

/** @returns of whom deals say something else than before. */
async function storeWords(
  tx: Tx,
  { crm, mapping }: ReadScope,
  refs: readonly string[],
  now: Date,
): Promise<readonly string[]> {
  const { wins = 'latest', pipelines } = mapping.deals ?? {}
  const subjects = await dealSubjects(tx, refs)
  const deals = await readDealsOf(tx, crm.name, subjects, pipelines)
  const words = subjects.map((about) => {
    return { about, word: dealsSay((deals.get(about) ?? []).map(dealWord)) }
  })
  return storeDealSales(tx, crm.name, words, WEIGHTS[wins], now)
}
