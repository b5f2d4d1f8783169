import type { CrmValueBounds } from '../ports/crm.ts'
import { MOST_TEXT } from './fields.ts'

const WHOLE: CrmValueBounds = { numbers: { least: 0, greatest: null } }
const TEXT: CrmValueBounds = { longest: MOST_TEXT }

/** The range of each field whose range is known; those that are not named here may hold anything. */
const BOUNDS: Readonly<Record<string, CrmValueBounds>> = {
  score: { numbers: { least: 0, greatest: 100 } },
  change: { numbers: { least: -100, greatest: 100 } },
  active_days_30: { numbers: { least: 0, greatest: 30 } },
  active_users: WHOLE,
  qualified_users: WHOLE,
  reason_1: TEXT,
  reason_2: TEXT,
  reason_3: TEXT,
  summary: TEXT,
  explanation: TEXT,
  what_changed: TEXT,
  to_qualify: TEXT,
  others: TEXT,
}

/** What a property that is filled with this field may be given; undefined = anything. */
export function boundsOf(field: string): CrmValueBounds | undefined {
  return BOUNDS[field]
}
