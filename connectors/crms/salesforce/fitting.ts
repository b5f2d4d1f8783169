import type { CrmObject, FitValues } from '../../../src/core/ports/crm.ts'
import { describe, type ObjectDescription } from './describe.ts'
import { createdAs, OBJECTS, objectOf, type RecordObject } from './objects.ts'
import type { Session } from './session.ts'
import { heldValue } from './to-wire.ts'

/** By the org's own description of each object on which such records may lie. */
export async function fitting(
  session: Session,
  object: CrmObject,
  signal: AbortSignal,
): Promise<FitValues> {
  const described = new Map<RecordObject, ObjectDescription>()
  for (const one of OBJECTS[object]) described.set(one, await describe(session, one, signal))
  const created = createdAs(object, session.rules)
  return (crmId, values) => {
    const fields = described.get((crmId === null ? null : objectOf(crmId)) ?? created)?.fields
    return Object.fromEntries(
      Object.entries(values).map(([name, value]) => {
        const field = fields?.get(name)
        return [name, field ? heldValue(field, value) : value]
      }),
    )
  }
}
