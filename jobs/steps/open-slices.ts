import { type CrmRecordRow, takeOpen } from '../../src/infra/postgres/crm-record-store.ts'
import { giveBack } from '../../src/infra/postgres/record-leases.ts'
import type { Turn } from './locate.ts'
import { isUnderCompany } from './reconcile-batch.ts'
import type { WritingScope } from './reconcile-scope.ts'

/** Records that are looked at and written together. */
export interface Slice {
  readonly rows: readonly CrmRecordRow[]
  readonly turn: Turn
  /** To be called when all of it was written, or nothing more will be. */
  readonly done: () => void
}

export interface HowToSlice {
  /** Records in a slice, at most. */
  readonly size: number
  /** Slices that are under way at a time. */
  readonly atOnce: number
  /** In each pass of its holder a record is taken once. */
  readonly pass: number
}

/**
 * Takes open records slice by slice, always those first that are to be written first by now. Where contacts lie under companies, two
 * writers of one company are in each other's way: there they go company by company.
 */
export async function* slicesOf(
  scope: WritingScope,
  { size, atOnce, pass }: HowToSlice,
): AsyncGenerator<Slice> {
  const { context, object, holder, isHot = false } = scope
  const byCompany = isUnderCompany(scope)
  const isCut = byCompany && atOnce > 1
  let comes = Promise.resolve()
  let free = Promise.resolve()
  let after: CrmRecordRow | null = null
  const underWay = new Map<string, Promise<void>>()
  for (;;) {
    const place = { object, after: byCompany ? after : null, limit: isCut ? size + 1 : size }
    const some = await takeOpen(context.db, holder, { ...place, byCompany, isHot, pass })
    const alike = byCompany ? some.filter(({ urgent }) => urgent === some[0]?.urgent) : some
    const all = isCut ? wholeCompanies(alike, size) : alike
    await giveBack(context.db, holder, refsOf(some.slice(all.length)))
    const [first, last] = [all[0], all.at(-1)]
    if (first === undefined || last === undefined) return
    const next = promised()
    const written = promised()
    const isShared =
      byCompany && first.companyRef !== null && first.companyRef === after?.companyRef
    // Companies of people who went first come again with their other people.
    const isLater = byCompany && after?.urgent === true && !first.urgent
    const others = isLater ? Promise.all(underWay.values()).then(() => {}) : Promise.resolve()
    const turn = { comes, pass: next.resolve, free: isShared ? free : others }
    // Wanted anew while it is written, a record comes again in the next pass.
    const rows = all.filter(({ ref }) => !underWay.has(ref))
    for (const { ref } of rows) underWay.set(ref, written.promise)
    const done = () => {
      for (const { ref } of rows) underWay.delete(ref)
      written.resolve()
    }
    yield { rows, turn, done }
    comes = next.promise
    free = written.promise
    after = last
  }
}

const refsOf = (rows: readonly CrmRecordRow[]): string[] => rows.map(({ ref }) => ref)

/**
 * The first records, without the beginning of a company that goes on in the next slice; unless that would be
 * most of them.
 */
function wholeCompanies(rows: readonly CrmRecordRow[], limit: number): readonly CrmRecordRow[] {
  const next = rows[limit]?.companyRef ?? null
  if (next === null) return rows.slice(0, limit)
  const end = rows.findIndex(({ companyRef }) => companyRef === next)
  return rows.slice(0, end >= limit / 2 ? Math.min(end, limit) : limit)
}

function promised(): { readonly promise: Promise<void>; readonly resolve: () => void } {
  let resolve = () => {}
  const promise = new Promise<void>((then) => {
    resolve = then
  })
  return { promise, resolve }
}
