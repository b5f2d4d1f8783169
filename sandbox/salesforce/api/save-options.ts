import type { SaveOptions } from '../record-writer.ts'
import { type ApiCall, headerOptions } from './api-endpoint.ts'

/** What the headers of a call say about its saves. */
export function saveOptions(call: ApiCall, isMany: boolean): SaveOptions {
  const assign = String(call.headers['sforce-auto-assign'] ?? 'TRUE').toLowerCase()
  const duplicates = headerOptions(call.headers['sforce-duplicate-rule-header'])
  return {
    autoAssign: assign !== 'false',
    duplicates: {
      allowSave: duplicates.get('allowsave')?.toLowerCase() === 'true',
      includeRecordDetails: duplicates.get('includerecorddetails')?.toLowerCase() === 'true',
    },
    isMany,
  }
}
