import type { JobContext } from '../../jobs/context.ts'
import { slicesOf, voices } from '../../jobs/steps/desire.ts'
import { createPreview, type RecordPreview } from '../../jobs/steps/preview-records.ts'
import { canonicalJson } from '../core/canonical-json.ts'
import { ConfigError } from '../core/errors.ts'
import type { ObjectMapping } from '../core/mapping/crm-mapping.ts'
import type { MappingSet } from '../core/mapping/mapping-set.ts'
import type { Crm, CrmObject } from '../core/ports/crm.ts'
import { accountProblem } from '../infra/postgres/crm-account-store.ts'

/** Which records are looked at: all, some of each object, or those of one person. */
export interface PreviewChoice {
  readonly sample?: number
  readonly refs?: Readonly<Record<CrmObject, readonly string[]>>
}

/** What a sync would do with one CRM. */
export interface Preview {
  readonly records: readonly RecordPreview[]
  readonly totals: readonly PreviewTotals[]
  /** Calls that would write them; tasks and associations come besides. */
  readonly writeCalls: number
}

export interface PreviewTotals {
  readonly object: CrmObject
  /** Records that there are, and that were looked at. */
  readonly all: number
  readonly looked: number
  readonly create: number
  readonly update: number
  readonly same: number
  readonly unlinked: number
  readonly parked: number
  readonly archive: number
  /** Values that would be written. */
  readonly fields: number
  readonly writeCalls: number
}

/** Records that are looked at together. */
const SLICE = 500

/**
 * Looks at the records of a CRM as the sync would, companies first, and writes nothing.
 * @throws {ConfigError} when the account is another one than before, or the mapping has nothing of the CRM.
 */
export async function previewSync(
  context: JobContext,
  crm: Crm,
  set: MappingSet,
  choice: PreviewChoice,
  signal: AbortSignal,
): Promise<Preview> {
  const mapping = set.crms.get(crm.name)
  if (!mapping) throw new ConfigError(`${crm.name}.yaml is missing in the mapping folder`)
  const problem = await accountProblem(context.db, crm.name, await crm.accountId(signal))
  if (problem !== null) throw new ConfigError(problem)
  const speaks = voices()
  const records: RecordPreview[] = []
  const totals: PreviewTotals[] = []
  for (const object of ['company', 'contact'] as const) {
    const rules = mapping.objects[object]
    if (!rules) continue
    await requireKey(crm, object, rules, signal)
    const all = choice.refs?.[object] ?? (await everybody(context, crm, object, rules))
    const chosen = choice.sample === undefined ? all : spread(all, choice.sample)
    const look = createPreview({ context, crm, set, object, rules, speaks, signal })
    const found: RecordPreview[] = []
    for (let at = 0; at < chosen.length; at += SLICE) {
      signal.throwIfAborted()
      found.push(...(await look(chosen.slice(at, at + SLICE))))
      context.onProgress({
        ...{
          step: 'reconcile',
          key: crm.name,
          unit: object === 'company' ? 'companies' : 'contacts',
        },
        ...{ done: Math.min(at + SLICE, chosen.length), total: chosen.length },
      })
    }
    records.push(...found)
    totals.push(totalsOf(crm, object, all.length, found))
  }
  return { records, totals, writeCalls: totals.reduce((n, { writeCalls }) => n + writeCalls, 0) }
}

type Rules = ObjectMapping

/** Records are found by our own key first; without it the CRM refuses to look. */
async function requireKey(
  crm: Crm,
  object: CrmObject,
  { key: { property } }: Rules,
  signal: AbortSignal,
): Promise<void> {
  if ((await crm.propertyNames(object, signal)).has(property)) return
  throw new ConfigError(
    `${crm.name} has no property ${property} on its ${object} records yet; ripen provision --crm ${crm.name} creates it, or says how`,
  )
}

async function everybody(
  { db }: JobContext,
  crm: Crm,
  object: CrmObject,
  rules: Rules,
): Promise<readonly string[]> {
  const all: string[] = []
  for await (const refs of slicesOf(db, crm.name, object, rules)) all.push(...refs)
  return all
}

/** So many of a list, evenly over all of it and the same each time. */
export function spread<T>(all: readonly T[], wanted: number): readonly T[] {
  if (wanted >= all.length) return all
  return Array.from({ length: wanted }, (_, i) => {
    return all[Math.floor(((i + 0.5) * all.length) / wanted)] as T
  })
}

function totalsOf(
  crm: Crm,
  object: CrmObject,
  all: number,
  found: readonly RecordPreview[],
): PreviewTotals {
  const count = (step: RecordPreview['step']) => found.filter((one) => one.step === step).length
  const [create, update, archive] = [count('create'), count('update'), count('archive')]
  return {
    ...{ object, all, looked: found.length, create, update, archive },
    ...{ same: count('same'), unlinked: count('unlinked'), parked: count('parked') },
    fields: found.reduce((n, { fields }) => n + fields.length, 0),
    writeCalls: [create, update, archive].reduce((n, some) => n + callsFor(crm, some), 0),
  }
}

/** Updates and creates are different calls; many of one kind are one job where a CRM has such. */
function callsFor({ maxBatch, bulkFrom }: Crm, records: number): number {
  return bulkFrom !== undefined && records >= bulkFrom ? 1 : Math.ceil(records / maxBatch)
}

/** Files that are not published, with scores that are. */
export interface Draft {
  readonly set: MappingSet
  /** What it cannot show. */
  readonly notes: readonly string[]
}

/** Holds a draft against what is published: scores are stored ones, so their models are the published ones. */
export function draftOf(draft: MappingSet, published: MappingSet): Draft {
  const notes: string[] = []
  const models = new Map(draft.models)
  for (const [id, model] of draft.models) {
    const before = published.models.get(id)
    if (before && canonicalJson(before) === canonicalJson(model)) continue
    if (before) models.set(id, before)
    const what = before ? 'is changed in these files' : 'is new in these files'
    notes.push(`model ${id} ${what}: its scores come with ripen apply, and are not in this diff`)
  }
  for (const name of ['usage', 'identity'] as const) {
    if (canonicalJson(draft[name]) === canonicalJson(published[name])) continue
    notes.push(
      `${name}.yaml is changed in these files: what that does to scores comes with ripen apply`,
    )
  }
  return { set: { ...draft, models }, notes }
}
