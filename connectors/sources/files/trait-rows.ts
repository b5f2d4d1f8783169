import { ConfigError } from '../../../src/core/errors.ts'
import type { TraitFile } from '../../../src/core/mapping/traits-mapping.ts'
import type { SqlQuery } from '../../../src/core/ports/usage-source.ts'
import { csvHeader } from './csv-header.ts'
import { instantOf, textOf } from './events-sql.ts'
import { type Bind, binder, type Layout, type Params, rowsSql } from './rows-sql.ts'

/**
 * The lines of a CSV file that says something of people or companies: `line` (from 1, the header's),
 * `id VARCHAR`, `told_at DOUBLE` (milliseconds since 1970; null where the text is no date) and `told VARCHAR[]`
 * (one for each trait of the declaration, in its order).
 * @throws {ConfigError} when the file cannot be read or lacks a column that the declaration names.
 */
export async function traitRowsSql(name: string, file: TraitFile, path: string): Promise<SqlQuery> {
  const layout: Layout = {
    format: 'csv',
    delimiter: file.delimiter,
    header: await headerOf(name, file, path),
  }
  const params: Params = { file: [path] }
  const bind = binder(params)
  const told = Object.values(file.traits).map((column) => textOf(column, bind))
  return {
    params,
    sql: `select line::double as line, ${textOf(file.id.column, bind)} as id, ${dateOf(file, bind)},
        [${told.join(', ')}] as told
      from (${rowsSql(layout, '$file', true, bind)}) where not blank`,
  }
}

function dateOf({ date }: TraitFile, bind: Bind): string {
  if (!date) return 'null::double as told_at'
  return `epoch_ms((${instantOf(date, bind)})::timestamp)::double as told_at`
}

async function headerOf(name: string, file: TraitFile, path: string): Promise<readonly string[]> {
  const header = await csvHeader(path, file.delimiter)
  const wanted = [file.id.column, file.date?.column, ...Object.values(file.traits)]
  const missing = [...new Set(wanted)].filter((column) => column && !header.includes(column))
  if (missing.length > 0) {
    throw new ConfigError(
      `${path} line 1: there is no column ${missing.join(', ')}; the file has ${header.join(', ') || 'none'}. Correct the file, or files.${name} in traits.yaml`,
    )
  }
  return header
}
