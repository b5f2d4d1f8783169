import type { JobContext } from '../../jobs/context.ts'
import { slicesOf, voices } from '../../jobs/steps/desire.ts'
import { type DraftScores, draftScores } from '../../jobs/steps/draft-scores.ts'
import { createPreview, type RecordPreview } from '../../jobs/steps/preview-records.ts'
import type { ScoreReader } from '../../jobs/steps/speakers.ts'
import { canonicalJson } from '../core/canonical-json.ts'
import { ConfigError } from '../core/errors.ts'
import type { ObjectMapping } from '../core/mapping/crm-mapping.ts'
import type { MappingSet } from '../core/mapping/mapping-set.ts'
import type { Model } from '../core/mapping/model.ts'
import type { Crm, CrmObject } from '../core/ports/crm.ts'
import type { Score } from '../core/scoring/score.ts'
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
 * @param isScored scores everybody who is looked at by the models of the set, which are not published.
 * @throws {ConfigError} when the account is another one than before, or the mapping has nothing of the CRM.
 */
export async function previewSync(
  context: JobContext,
  crm: Crm,
  set: MappingSet,
  choice: PreviewChoice,
  signal: AbortSignal,
  isScored = false,
): Promise<Preview> {
  const mapping = set.crms.get(crm.name)
  if (!mapping) throw new ConfigError(`${crm.name}.yaml is missing in the mapping folder`)
  const problem = await accountProblem(context.db, crm.name, await crm.accountId(signal))
  if (problem !== null) throw new ConfigError(problem)
  const speaks = voices()
  const drafted = isScored ? await draftScores(context, set, subjectsOf(choice)) : null
  const scores = drafted ? readerOf(drafted) : undefined
  const records: RecordPreview[] = []
  const totals: PreviewTotals[] = []
  for (const object of ['company', 'contact'] as const) {
    const rules = mapping.objects[object]
    if (!rules) continue
    await requireKey(crm, object, rules, signal)
    const all = choice.refs?.[object] ?? (await everybody(context, crm, object, rules, drafted))
    const chosen = choice.sample === undefined ? all : spread(all, choice.sample)
    const look = createPreview({ context, crm, set, object, rules, speaks, scores, signal })
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
  drafted: DraftScores | null,
): Promise<readonly string[]> {
  const all = new Set<string>()
  for await (const refs of slicesOf(db, crm.name, object, rules)) {
    for (const ref of refs) all.add(ref)
  }
  for (const model of rules.model) for (const id of drafted?.get(model)?.keys() ?? []) all.add(id)
  return [...all].sort()
}

/** Whom scores are needed of; null for everybody. */
function subjectsOf({ refs }: PreviewChoice): readonly string[] | null {
  return refs ? [...refs.company, ...refs.contact] : null
}

function readerOf(drafted: DraftScores): ScoreReader {
  return async (model, among) => {
    const all = drafted.get(model) ?? new Map<string, Score>()
    if (among === null) return all
    return new Map(among.flatMap((id) => (all.has(id) ? [[id, all.get(id) as Score]] : [])))
  }
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

/** Files that are not published. */
export interface Draft {
  readonly set: MappingSet
  /** True when a model is another one than the published one, so that scores are others too. */
  readonly isScored: boolean
  /** What it cannot show. */
  readonly notes: readonly string[]
}

/** Holds a draft against what is published: usage is rolled up, and people are known, as the published files say. */
export function draftOf(draft: MappingSet, published: MappingSet): Draft {
  const before = (id: string) => published.models.get(id)
  const isSame = ([id, model]: readonly [string, Model]) =>
    canonicalJson(before(id) ?? null) === canonicalJson(model)
  const notes: string[] = []
  for (const name of ['usage', 'identity'] as const) {
    if (canonicalJson(draft[name]) === canonicalJson(published[name])) continue
    notes.push(
      `${name}.yaml is changed in these files: what that does to scores comes with ripen apply`,
    )
  }
  return { set: draft, isScored: ![...draft.models].every(isSame), notes }
}
