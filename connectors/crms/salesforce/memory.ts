import type { ObjectDescription } from './describe.ts'

/**
 * What was learned of an org and does not change from call to call; connectors of one org may share it, so
 * that a new one asks nothing twice.
 */
export interface SalesforceMemory {
  version: string | null
  readonly descriptions: Map<
    string,
    { readonly at: number; readonly is: Promise<ObjectDescription> }
  >
}

export function createSalesforceMemory(): SalesforceMemory {
  return { version: null, descriptions: new Map() }
}
