import type { OrgState } from '../org-state.ts'
import { RowError } from '../salesforce-error.ts'

/** How many more records there is room for; without a word, for any number. */
export class StorageLimit {
  private readonly state: OrgState
  private most: number | null = null

  constructor(state: OrgState) {
    this.state = state
  }

  /** Leaves room for so many records more; null for any number. */
  leave(room: number | null): void {
    this.most = room === null ? null : this.stored() + room
  }

  /** @throws {RowError} when a new record has no room. */
  check(): void {
    if (this.most === null || this.stored() < this.most) return
    throw new RowError('STORAGE_LIMIT_EXCEEDED', 'storage limit exceeded')
  }

  private stored(): number {
    const tables = this.state.allTables().filter(({ definition }) => definition.createable)
    return tables.reduce((sum, { rows }) => sum + rows.size, 0)
  }
}
