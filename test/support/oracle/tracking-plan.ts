import { parse } from 'yaml'
import { numberOf, patternOf, type TraitRule } from './model-file.ts'
import { type RawEvent, textOf, withoutCopies } from './raw-events.ts'

interface ActionText {
  readonly core?: boolean
  readonly from: readonly {
    readonly source?: string
    readonly event: string
    readonly where?: Readonly<Record<string, TraitRule>>
  }[]
  readonly value?: { readonly of: string; readonly keep: string | readonly string[] }
}

/** `usage.yaml` as it is written. */
export interface PlanText {
  readonly ignore?: readonly string[]
  readonly traits?: Readonly<Record<string, readonly string[]>>
  readonly actions: Readonly<Record<string, ActionText>>
}

export const readPlan = (text: string): PlanText => parse(text) as PlanText

/** One use of the product by somebody, and what it was by the tracking plan. */
export interface Deed {
  readonly person: string
  readonly at: number
  /** Days since 1970 UTC. */
  readonly day: number
  readonly isCore: boolean
  /** By action: the text of its value, null when it has none. */
  readonly actions: ReadonlyMap<string, string | null>
}

const DAY_MS = 86_400_000

/** What vendors write themselves; each name from their documentation (see decision 13). */
const VENDORS_OWN = [
  '$identify',
  '$groupidentify',
  'session_start',
  'session_end',
  '$create_alias',
  '$merge',
  '$ae_session',
  '$ae_first_open',
  '$ae_updated',
  '$ae_crashed',
  '$campaign_delivery',
]
const VENDORS_PREFIX = /^\[(Amplitude|Experiment|Guides-Surveys)\]/

/** What everybody did: copies once, without noise, by the person whose id an event has. */
export function deedsOf(
  events: readonly RawEvent[],
  plan: PlanText,
  personOf: ReadonlyMap<string, string>,
): Map<string, Deed[]> {
  const deeds = new Map<string, Deed[]>()
  for (const event of withoutCopies(events)) {
    const { name, node, at } = event
    if (VENDORS_OWN.includes(name) || VENDORS_PREFIX.test(name)) continue
    if (plan.ignore?.includes(name)) continue
    const person = node === null ? undefined : personOf.get(node)
    if (person === undefined) continue
    const actions = actionsOf(event, plan)
    const isCore = [...actions.keys()].some((action) => plan.actions[action]?.core === true)
    const known = deeds.get(person) ?? []
    known.push({ person, at, day: Math.floor(at / DAY_MS), isCore, actions })
    deeds.set(person, known)
  }
  return deeds
}

function actionsOf(event: RawEvent, plan: PlanText): Map<string, string | null> {
  const actions = new Map<string, string | null>()
  for (const [action, { from, value }] of Object.entries(plan.actions)) {
    const fits = from.some(
      (match) =>
        match.event === event.name &&
        (match.source === undefined || match.source === event.source) &&
        Object.entries(match.where ?? {}).every(([name, rule]) =>
          meetsAll(textOf(event.properties[name]), rule),
        ),
    )
    if (!fits) continue
    const property = value?.of.slice('event.'.length)
    actions.set(action, property === undefined ? null : textOf(event.properties[property]))
  }
  return actions
}

/** Whether a value, null when there is none, meets all conditions of a rule. */
export function meetsAll(value: string | null, rule: TraitRule): boolean {
  const { exists, equals, in: among, gte, lte, matches } = rule
  if (value === null) {
    return exists === false && [equals, among, gte, lte, matches].every((r) => r === undefined)
  }
  if (exists === false) return false
  const number = numberOf(value)
  if (equals !== undefined && value !== String(equals)) return false
  if (among !== undefined && !among.map(String).includes(value)) return false
  if (gte !== undefined && (number === null || number < gte)) return false
  if (lte !== undefined && (number === null || number > lte)) return false
  return matches === undefined || patternOf(matches).test(value)
}
