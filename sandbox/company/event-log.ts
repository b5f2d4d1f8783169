import {
  DAY,
  type Happening,
  HOUR,
  MINUTE,
  type Person,
  type Plan,
  planAt,
  type Tool,
} from './people-model.ts'
import { mix, type Random } from './random.ts'

/** What may be said about an event besides who, what and when. */
export interface EventDetails {
  readonly props?: Happening['props']
  readonly session?: number
  readonly device?: number
  readonly anonymous?: boolean
}

/** Where every part of the company writes what people did. */
export interface EventLog {
  readonly amplitude: readonly Happening[]
  readonly mixpanel: readonly Happening[]
  /** Notes an event at an offset from the end; one outside the period, or in an unused tool, is left out. */
  add(tool: Tool, person: Person, name: string, at: number, details?: EventDetails): void
  changePlan(person: Person, plan: Plan, at: number): void
}

const NO_PROPS = Object.freeze({})

/** The last event lies at least this long before the end. */
export const LAST_EVENT = -MINUTE

/** Starts an empty log of the given number of days. */
export function createEventLog(days: number, seed: number, random: Random): EventLog {
  const kept: Record<Tool, Happening[]> = { amplitude: [], mixpanel: [] }
  let seq = mix(seed, 11)
  const add: EventLog['add'] = (tool, person, name, at, details = {}) => {
    const delay = person.prompt ? random.int(400, 9000) : drawDelay(tool, at, random)
    seq = (seq + 1) >>> 0
    if (!person.tools[tool] || at < -days * DAY || at > LAST_EVENT) return
    kept[tool].push({
      seq,
      person,
      name,
      at: Math.floor(at),
      session: Math.floor(details.session ?? at),
      device: details.device ?? 0,
      anonymous: details.anonymous ?? false,
      delay,
      props: details.props ?? NO_PROPS,
    })
  }
  return {
    amplitude: kept.amplitude,
    mixpanel: kept.mixpanel,
    add,
    changePlan(person, plan, at) {
      if (planAt(person, at) === plan) return
      person.plans.push({ from: at, plan })
      add('mixpanel', person, 'plan_changed', at, { props: { plan } })
    },
  }
}

/** Most events arrive within seconds; phones without a network and full queues make some late. */
function drawDelay(tool: Tool, at: number, random: Random): number {
  const draw = random.next()
  const hours = random.int(HOUR, 18 * HOUR)
  const days = random.int(DAY, 4 * DAY)
  const seconds = random.int(400, 20_000)
  if (tool === 'amplitude') {
    if (draw < 0.01) return days
    return draw < 0.06 ? hours : seconds
  }
  const late = draw < 0.004 ? days : hours
  // Mixpanel's export selects by event time, so nothing may be processed after the end.
  return draw < 0.03 && at + late < LAST_EVENT ? late : seconds
}
