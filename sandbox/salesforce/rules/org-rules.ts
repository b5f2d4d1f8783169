import { DuplicateRules } from './duplicate-rules.ts'
import { RowLocks } from './row-locks.ts'
import { ValidationRules } from './validation-rules.ts'

/** What an administrator set up in the org. */
export interface OrgRules {
  readonly locks: RowLocks
  readonly duplicates: DuplicateRules
  readonly validations: ValidationRules
  /** Object to owner. */
  readonly assignment: Map<string, string>
}

export function createOrgRules(): OrgRules {
  return {
    locks: new RowLocks(),
    duplicates: new DuplicateRules(),
    validations: new ValidationRules(),
    assignment: new Map(),
  }
}
