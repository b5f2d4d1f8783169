import { parse } from 'csv-parse/sync'
import { stringify } from 'csv-stringify/sync'
import type { WireValue } from './to-wire.ts'
import type { WireError } from './wire-errors.ts'
import type { WriteInput } from './write-inputs.ts'

/** Salesforce's word for no value; an empty cell leaves the field as it is. */
const NOTHING = '#N/A'

/** The file of a job: one header for all rows, whatever fields each of them has. */
export function toCsv(inputs: readonly WriteInput[], isUpdate: boolean): string {
  const names = [...new Set(inputs.flatMap(({ fields }) => Object.keys(fields)))].sort()
  const header = [...(isUpdate ? ['Id'] : []), ...names]
  const rows = inputs.map(({ crmId, fields }) => [
    ...(isUpdate ? [crmId ?? ''] : []),
    ...names.map((name) => (name in fields ? toCell(fields[name] ?? null) : '')),
  ])
  return stringify([header, ...rows], { record_delimiter: 'unix' })
}

function toCell(value: WireValue): string {
  if (value === null || value === '') return NOTHING
  return String(value)
}

/** The rows of a result by the names of their columns; always by commas, as the job was made with. */
export function readCsv(text: string): Record<string, string>[] {
  if (text.trim() === '') return []
  return parse(text, { columns: true, bom: true, skip_empty_lines: true, relax_column_count: true })
}

/** `CODE:message:fields --`; the message may hold colons itself. */
export function readRowError(text: string): WireError {
  const match = /^([A-Z][A-Z0-9_]*):(.*):([^:]*?)--\s*$/s.exec(text.trim())
  if (!match) return { code: /^[A-Z][A-Z0-9_]*/.exec(text)?.[0] ?? '', message: text, fields: [] }
  const [, code = '', message = '', fields = ''] = match
  return { code, message, fields: fields.split(/[,\s]+/).filter(Boolean) }
}
