import type { OrgState } from '../org-state.ts'
import { DuplicateRules } from './duplicate-rules.ts'
import { RowLocks } from './row-locks.ts'
import { StorageLimit } from './storage-limit.ts'
import { ValidationRules } from './validation-rules.ts'

/** What an administrator set up in the org. */
export interface OrgRules {
  readonly locks: RowLocks
  readonly duplicates: DuplicateRules
  readonly validations: ValidationRules
  readonly storage: StorageLimit
  /** Object to owner. */
  readonly assignment: Map<string, string>
}

export function createOrgRules(state: OrgState): OrgRules {
  return {
    locks: new RowLocks(),
    duplicates: new DuplicateRules(),
    validations: new ValidationRules(),
    storage: new StorageLimit(state),
    assignment: new Map(),
  }
}
