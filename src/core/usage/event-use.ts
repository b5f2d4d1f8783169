import type { UsageMapping } from '../mapping/usage-mapping.ts'
import { RESERVED_EVENTS, RESERVED_PREFIXES } from './reserved.ts'

/** What the tracking plan makes of one vendor event. */
export interface EventUse {
  /** `mapped` to actions, `ignored` by the plan, `reserved` by the vendor, or `unmapped`. */
  readonly use: 'mapped' | 'ignored' | 'reserved' | 'unmapped'
  /** The actions that it may become; conditions on properties decide. */
  readonly actions: readonly string[]
}

/** Looks an event name of a source up in the tracking plan. */
export function eventUse(mapping: UsageMapping, source: string, name: string): EventUse {
  if (RESERVED_EVENTS.includes(name) || RESERVED_PREFIXES.some((p) => name.startsWith(p))) {
    return { use: 'reserved', actions: [] }
  }
  if (mapping.ignore.includes(name)) return { use: 'ignored', actions: [] }
  const actions = Object.entries(mapping.actions)
    .filter(([, action]) =>
      action.from.some((m) => m.event === name && (m.source === undefined || m.source === source)),
    )
    .map(([action]) => action)
  return { use: actions.length > 0 ? 'mapped' : 'unmapped', actions }
}
