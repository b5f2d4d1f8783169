import type { SourceMapping } from '../../../src/core/mapping/source-mapping.ts'

/** How the files of a batch are laid out. */
export interface Layout {
  readonly format: SourceMapping['format']
  readonly delimiter: string
  /** The columns of a CSV file. */
  readonly header: readonly string[]
}

/** Makes a value a parameter of the statement and returns its name in SQL. */
export type Bind = (value: string) => string

export type Params = Record<string, string | number | readonly string[]>

/** Adds values to `params`, equal ones once. */
export function binder(params: Params): Bind {
  const names = new Map<string, string>()
  return (value) => {
    const name = names.get(value) ?? `p${names.size}`
    names.set(value, name)
    params[name] = value
    return `$${name}::varchar`
  }
}

/**
 * The select that yields the lines of files: `row JSON` (an object of its columns; null where a line
 * holds no JSON), `blank` and `filename`. Names of columns are bound, never written into the statement.
 * @param files the parameter that holds the paths.
 * @param numbered adds `line`; for one file only, and it reads slower.
 */
export function rowsSql(layout: Layout, files: string, numbered: boolean, bind: Bind): string {
  return layout.format === 'jsonl'
    ? jsonlRows(files, numbered)
    : csvRows(layout, files, numbered, bind)
}

function jsonlRows(files: string, numbered: boolean): string {
  // No JSON holds this control character, so a line is one column.
  return `select try_cast(text as json) as row, text is null as blank, filename
      ${numbered ? ', row_number() over () as line' : ''}
    from read_csv(${files}, auto_detect = false, columns = {'text': 'VARCHAR'}, delim = chr(1),
      quote = '', escape = '', header = false, filename = true, parallel = ${!numbered})`
}

function csvRows(
  { header, delimiter }: Layout,
  files: string,
  numbered: boolean,
  bind: Bind,
): string {
  const columns = header.map((_, index) => `c${index}`)
  const pairs = header.map((name, index) => `${bind(name)}, c${index}`)
  // A value in quotes may span lines; what it spans counts for all that follow.
  const breaks = columns.map(
    (c) => `coalesce(length(${c}) - length(replace(${c}, chr(10), '')), 0)`,
  )
  const line = `, (1 + row_number() over () + coalesce(sum(${breaks.join(' + ')}) over (
      rows between unbounded preceding and 1 preceding), 0))::bigint as line`
  return `select json_object(${pairs.join(', ')}) as row, false as blank, filename
      ${numbered ? line : ''}
    from read_csv(${files}, auto_detect = false,
      columns = {${columns.map((c) => `'${c}': 'VARCHAR'`).join(', ')}}, header = true,
      delim = ${bind(delimiter)}, quote = '"', escape = '"', strict_mode = true, filename = true,
      parallel = ${!numbered})`
}
