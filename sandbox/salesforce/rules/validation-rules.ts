import type { Value } from '../field-definition.ts'
import { RowError } from '../salesforce-error.ts'
import type { RowValues } from '../stored-row.ts'

/** A condition on one field; a record that meets all of a rule's is refused. */
export interface RuleCondition {
  readonly field: string
  readonly is: 'equal' | 'not-equal' | 'empty' | 'filled' | 'greater' | 'less' | 'changed'
  readonly value?: Value
}

/** A validation rule as an administrator writes it. */
export interface ValidationRule {
  readonly object: string
  readonly name: string
  readonly when: readonly RuleCondition[]
  readonly message: string
  /** Where the message stands; a rule without one speaks at the top of the page. */
  readonly field?: string
}

/** Rules of the customer's own that every save must pass. */
export class ValidationRules {
  private readonly rules = new Map<string, ValidationRule>()

  /** Sets a rule, or replaces the one of that object and name. */
  set(rule: ValidationRule): void {
    this.rules.set(`${rule.object} ${rule.name}`, rule)
  }

  remove(object: string, name: string): void {
    this.rules.delete(`${object} ${name}`)
  }

  check(object: string, next: RowValues, before: RowValues | null): void {
    for (const rule of this.rules.values()) {
      if (rule.object !== object) continue
      if (!rule.when.every((condition) => isMet(condition, next, before))) continue
      const fields = rule.field === undefined ? [] : [rule.field]
      throw new RowError('FIELD_CUSTOM_VALIDATION_EXCEPTION', rule.message, fields)
    }
  }
}

function isMet(condition: RuleCondition, next: RowValues, before: RowValues | null): boolean {
  const value = next[condition.field] ?? null
  const wanted = condition.value ?? null
  switch (condition.is) {
    case 'equal':
      return value === wanted
    case 'not-equal':
      return value !== wanted
    case 'empty':
      return value === null
    case 'filled':
      return value !== null
    case 'greater':
      return value !== null && wanted !== null && value > wanted
    case 'less':
      return value !== null && wanted !== null && value < wanted
    case 'changed':
      return value !== (before?.[condition.field] ?? null)
  }
}
