import type { Value } from '../field-definition.ts'
import type { OrgState } from '../org-state.ts'
import { RowError } from '../salesforce-error.ts'
import type { RowValues, StoredRow } from '../stored-row.ts'

/** A duplicate rule: what it compares, and what it does about a match. */
export interface DuplicateRule {
  readonly name: string
  /** The object whose saves it looks at. */
  readonly object: string
  /** Objects in which it looks for the same. Default: the object itself. */
  readonly against?: readonly string[]
  /** Fields that must all be equal and filled. */
  readonly fields: readonly string[]
  /** `alert` lets through who asks to save all the same; `block` lets nobody. */
  readonly action: 'alert' | 'block'
  /** Default: creates only. */
  readonly on?: 'create' | 'create-and-update'
}

export interface DuplicateOptions {
  readonly allowSave: boolean
  readonly includeRecordDetails: boolean
}

const MESSAGE =
  "You're creating a duplicate record. We recommend you use an existing record instead."
const BULK_MESSAGE = 'Use one of these records?'

export class DuplicateRules {
  private readonly rules = new Map<string, DuplicateRule>()

  set(rule: DuplicateRule): void {
    this.rules.set(rule.name, rule)
  }

  remove(name: string): void {
    this.rules.delete(name)
  }

  /** @throws {RowError} when a rule finds the same record already there and does not let it pass. */
  check(
    state: OrgState,
    { object, id }: { readonly object: string; readonly id: string | null },
    next: RowValues,
    options: DuplicateOptions & { readonly apiVersion: string; readonly isMany: boolean },
  ): void {
    for (const rule of this.rules.values()) {
      if (rule.object !== object || (id !== null && rule.on !== 'create-and-update')) continue
      if (rule.action === 'alert' && options.allowSave) continue
      const found = matches(state, rule, next, id)
      if (found.length === 0) continue
      const result = describeMatch(rule, found, options)
      throw new RowError('DUPLICATES_DETECTED', options.isMany ? BULK_MESSAGE : MESSAGE, [], result)
    }
  }
}

function matches(
  state: OrgState,
  rule: DuplicateRule,
  next: RowValues,
  ownId: string | null,
): StoredRow[] {
  const [first, ...rest] = rule.fields
  if (first === undefined || rule.fields.some((name) => (next[name] ?? null) === null)) return []
  return (rule.against ?? [rule.object]).flatMap((object) =>
    [...state.table(object).find(first, next[first] ?? null)].filter(
      (row) =>
        row.id !== ownId &&
        row.values['IsDeleted'] !== true &&
        row.values['IsConverted'] !== true &&
        rest.every((name) => sameText(row.values[name] ?? null, next[name] ?? null)),
    ),
  )
}

function sameText(a: Value, b: Value): boolean {
  return String(a).toLowerCase() === String(b).toLowerCase()
}

function describeMatch(
  rule: DuplicateRule,
  found: readonly StoredRow[],
  options: DuplicateOptions & { readonly apiVersion: string },
): unknown {
  const types = [...new Set(found.map(({ object }) => object))]
  return {
    allowSave: rule.action === 'alert',
    duplicateRule: rule.name,
    duplicateRuleEntityType: rule.object,
    errorMessage: MESSAGE,
    matchResults: types.map((type) => {
      const records = found.filter(({ object }) => object === type)
      return {
        entityType: type,
        errors: [],
        matchEngine: 'FuzzyMatchEngine',
        matchRecords: records.map((row) => ({
          additionalInformation: [],
          fieldDiffs: [],
          matchConfidence: 100.0,
          record: {
            attributes: {
              type,
              url: `/services/data/v${options.apiVersion}/sobjects/${type}/${row.id}`,
            },
            Id: row.id,
            ...(options.includeRecordDetails ? shownDetails(row) : {}),
          },
        })),
        rule: `Standard_${type}_Match_Rule_v1_1`,
        size: records.length,
        success: true,
      }
    }),
  }
}

function shownDetails(row: StoredRow): Record<string, Value> {
  const names = ['Name', 'Email', 'Company', 'Phone', 'Website']
  return Object.fromEntries(
    names.flatMap((name): [string, Value][] =>
      row.values[name] === undefined ? [] : [[name, row.values[name] ?? null]],
    ),
  )
}
