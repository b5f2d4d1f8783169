import { z } from 'zod'
import type { WriteOutcome } from '../../../src/core/ports/crm.ts'
import { OBJECTS, objectOf } from './objects.ts'
import { type Session, sendSettled } from './session.ts'
import { parseJson } from './wire-errors.ts'
import type { WriteInput } from './write-inputs.ts'

const matchShape = z.object({
  matchResults: z
    .array(
      z.object({
        matchRecords: z
          .array(
            z.object({
              matchConfidence: z.number().catch(0),
              record: z.object({ Id: z.string() }),
            }),
          )
          .catch([]),
      }),
    )
    .catch([]),
})
/** Salesforce misspells the name; should it mend that, the right one is read too. */
const duplicateShape = z.object({
  duplicateResut: matchShape.optional().catch(undefined),
  duplicateResult: matchShape.optional().catch(undefined),
})

const MAY_BE_MEANT = new Set(OBJECTS.contact)

/**
 * Which record a duplicate rule means. Only a call about one record tells that, so each is sent alone once
 * more; where the rule lets it pass now, it is created, and that is an outcome like any other. Once a call
 * could not be made, the rest is not asked about, and nobody knows.
 */
export async function matchedDuplicates(
  session: Session,
  keyField: string,
  inputs: readonly WriteInput[],
  signal: AbortSignal,
): Promise<Map<WriteInput, WriteOutcome>> {
  const outcomes = new Map<WriteInput, WriteOutcome>()
  let isOver = false
  for (const input of inputs) {
    if (isOver) {
      outcomes.set(input, { kind: 'unknown' })
      continue
    }
    const json = { ...input.fields, [keyField]: input.key }
    const path = `/sobjects/${input.object}`
    const result = await sendSettled(
      session,
      {
        ...{ kind: 'write', method: 'POST', path, endpoint: `POST sobjects/${input.object}`, json },
        headers: { 'Sforce-Duplicate-Rule-Header': 'allowSave=false; includeRecordDetails=false' },
      },
      signal,
    )
    if (result.ok) {
      const created = z.object({ id: z.string() }).safeParse(parseJson(result.answer.text)).data
      outcomes.set(
        input,
        created ? { kind: 'written', crmId: created.id, created: true } : { kind: 'unknown' },
      )
      continue
    }
    if (result.failure.kind === 'failed') {
      outcomes.set(input, { kind: 'unknown' })
      isOver = !result.failure.mayHaveHappened
      continue
    }
    const crmId = bestMatch(result.failure.details, input)
    // Without a match it stays what the rule said: a person must look at it.
    if (crmId !== null) outcomes.set(input, { kind: 'exists', crmId })
  }
  return outcomes
}

/** The surest match that could be the same sort of record; a contact before a lead. */
function bestMatch(details: readonly unknown[], input: WriteInput): string | null {
  const matches = details.flatMap((detail) => {
    const { data } = duplicateShape.safeParse(detail)
    const found = data?.duplicateResut ?? data?.duplicateResult
    return found?.matchResults.flatMap(({ matchRecords }) => matchRecords) ?? []
  })
  const fits = (id: string) => {
    const object = objectOf(id)
    if (object === null) return false
    return input.object === 'Account' ? object === 'Account' : MAY_BE_MEANT.has(object)
  }
  const ranked = matches
    .filter(({ record }) => fits(record.Id))
    .toSorted(
      (a, b) =>
        Number(objectOf(b.record.Id) === 'Contact') - Number(objectOf(a.record.Id) === 'Contact') ||
        b.matchConfidence - a.matchConfidence,
    )
  return ranked[0]?.record.Id ?? null
}
