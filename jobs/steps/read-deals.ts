import type { CrmDeal } from '../../src/core/ports/crm.ts'
import { dealFacts } from '../../src/core/scoring/deal-facts.ts'
import { dealsSay } from '../../src/core/scoring/sales.ts'
import { dealsSource } from '../../src/core/scoring/told-by.ts'
import { markRefsStale } from '../../src/infra/postgres/crm-change-store.ts'
import type { Tx } from '../../src/infra/postgres/database.ts'
import {
  dealSubjects,
  dealWord,
  readDealsOf,
  type SeenDeal,
  storeDeals,
} from '../../src/infra/postgres/deal-store.ts'
import {
  type DueLook,
  dueDealLooks,
  havingDeals,
  noteLooks,
} from '../../src/infra/postgres/look-store.ts'
import { storeDealSales } from '../../src/infra/postgres/sales-store.ts'
import { storeSeenTraits } from '../../src/infra/postgres/trait-store.ts'
import { touchAbout } from '../../src/infra/postgres/trait-subjects.ts'
import { aboutOf, dueBefore, type ReadScope } from './read-scope.ts'

/** Records whose associations are read in one call. */
const SLICE = 1_000
/** Most records in one run, so that a large portal does not hold up what is to be written. */
const MOST = 20_000
const OBJECTS = ['contact', 'company'] as const
/** How much deals weigh against the property of `sales-status`, which has 0. */
const WEIGHTS = { latest: 0, deals: 1, property: -1 } as const

/**
 * Reads the deals of records that are due, and what they say of how it stands with sales and as traits. Of
 * whom they say something else than before, is marked for scoring.
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
  const gone = await goneAmong(scope, looks, deals)
  const refs = looks.flatMap(({ ref }) => (gone.some((one) => one.ref === ref) ? [] : [ref]))
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
    for (const object of OBJECTS) {
      const own = gone.filter((one) => one.object === object).map(({ ref }) => ref)
      await markRefsStale(tx, { crm: crm.name, object }, own)
    }
    await touchAbout(tx, abouts)
    return abouts.length
  })
  run.count('dealsRead', deals.length)
  run.count('fieldsChanged', changed)
}

/**
 * Records that had deals and are not there any more: merged into another one, as a rule, which has the
 * deals then. They keep theirs until it is known which one that is.
 */
async function goneAmong(
  { context, crm, mapping, signal }: ReadScope,
  looks: readonly DueLook[],
  deals: readonly CrmDeal[],
): Promise<readonly DueLook[]> {
  const having = new Set(
    deals.flatMap(({ contactIds, companyIds }) => [
      ...contactIds.map((id) => `contact ${id}`),
      ...companyIds.map((id) => `company ${id}`),
    ]),
  )
  const without = looks.filter(({ object, crmId }) => !having.has(`${object} ${crmId}`))
  const had = await havingDeals(
    context.db,
    crm.name,
    without.map(({ ref }) => ref),
  )
  const gone: DueLook[] = []
  for (const object of OBJECTS) {
    const lost = without.filter((look) => look.object === object && had.has(look.ref))
    const key = mapping.objects[object]?.key.property
    if (lost.length === 0 || key === undefined) continue
    const ids = lost.map(({ crmId }) => crmId)
    const there = await crm.read(object, ids, [key], signal)
    gone.push(...lost.filter(({ crmId }) => !there.has(crmId)))
  }
  return gone
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
  const told = subjects.map((about) => ({ about, deals: (deals.get(about) ?? []).map(dealWord) }))
  const facts = told.map((one) => ({ about: one.about, ...dealFacts(one.deals) }))
  const traits = await storeSeenTraits(tx, dealsSource(crm.name), facts, now)
  const words = told.map((one) => ({ about: one.about, word: dealsSay(one.deals) }))
  const sales = await storeDealSales(tx, crm.name, words, WEIGHTS[wins], now)
  return [...new Set([...traits, ...sales])]
}
