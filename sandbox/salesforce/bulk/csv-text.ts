import { parse } from 'csv-parse/sync'
import { badRequest } from '../salesforce-error.ts'

/** Characters between columns, by their names in a job. */
const DELIMITERS: Readonly<Record<string, string>> = {
  COMMA: ',',
  TAB: '\t',
  SEMICOLON: ';',
  PIPE: '|',
  CARET: '^',
  BACKQUOTE: '`',
}

export interface CsvFormat {
  readonly columnDelimiter: string
  readonly lineEnding: string
}

/** @throws {SalesforceError} for a delimiter or line ending that is none. */
export function readFormat(delimiter: unknown, lineEnding: unknown): CsvFormat {
  const columnDelimiter = typeof delimiter === 'string' ? delimiter : 'COMMA'
  const ending = typeof lineEnding === 'string' ? lineEnding : 'LF'
  if (!(columnDelimiter in DELIMITERS) || !['LF', 'CRLF'].includes(ending)) {
    throw badRequest('INVALIDJOB', 'columnDelimiter or lineEnding is not known')
  }
  return { columnDelimiter, lineEnding: ending }
}

/** Header and rows. @throws when the text is no CSV. */
export function parseCsv(text: string, format: CsvFormat): string[][] {
  return parse(text, {
    delimiter: DELIMITERS[format.columnDelimiter] ?? ',',
    record_delimiter: format.lineEnding === 'CRLF' ? '\r\n' : '\n',
    relax_column_count: true,
    skip_empty_lines: true,
    bom: true,
  })
}

/** A line in which every cell stands in quotes, as result files have them. */
export function quotedLine(cells: readonly string[], format: CsvFormat): string {
  const delimiter = DELIMITERS[format.columnDelimiter] ?? ','
  return cells.map(quoted).join(delimiter) + endOf(format)
}

/** A line in which only those cells stand in quotes that need them. */
export function plainLine(cells: readonly string[], format: CsvFormat): string {
  const delimiter = DELIMITERS[format.columnDelimiter] ?? ','
  const shown = cells.map((cell) =>
    cell.includes(delimiter) || /["\r\n]/.test(cell) ? quoted(cell) : cell,
  )
  return shown.join(delimiter) + endOf(format)
}

function quoted(cell: string): string {
  return `"${cell.replaceAll('"', '""')}"`
}

function endOf(format: CsvFormat): string {
  return format.lineEnding === 'CRLF' ? '\r\n' : '\n'
}
