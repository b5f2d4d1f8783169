import type { ObjectDescription } from './describe.ts'

/**
 * What was learned of an org and does not change from call to call; connectors of one org may share it, so
 * that a new one asks nothing twice.
 */
export interface SalesforceMemory {
  version: string | null
  /** Batches of the Bulk API in 24 hours and how many of them are left, as it was told last. */
  bulkBatches: { readonly at: number; readonly calls: number; readonly left: number } | null
  /** How long the last job of the Bulk API took, in milliseconds a row. */
  bulkMsPerRow: number | null
  readonly descriptions: Map<
    string,
    { readonly at: number; readonly is: Promise<ObjectDescription> }
  >
}

export function createSalesforceMemory(): SalesforceMemory {
  return { version: null, bulkBatches: null, bulkMsPerRow: null, descriptions: new Map() }
}
