import { mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import {
  type DuckDBConnection,
  type DuckDBDataChunk,
  DuckDBDoubleVector,
  DuckDBInstance,
  type DuckDBResult,
  type DuckDBType,
  type DuckDBValue,
  LIST,
  listValue,
  VARCHAR,
} from '@duckdb/node-api'
import { ConfigError } from '../../core/errors.ts'

export interface DuckOptions {
  readonly dataDir: string
  /** Bound on DuckDB's own memory; beyond it, it spills into the data folder. */
  readonly memoryMb: number
  /** Default: one for each core. */
  readonly threads?: number | undefined
}

/** A value that may be bound to a parameter of a DuckDB statement. */
export type DuckParam = string | number | readonly string[]

/** The event engine: one in-process DuckDB, a connection for each piece of work. */
export interface Duck {
  /** Runs `work` on a connection of its own and closes it. */
  connect<T>(work: (connection: Connection) => Promise<T>): Promise<T>
  close(): void
}

/** A connection with our way of binding lists. Rows come as objects of plain JavaScript values. */
export interface Connection {
  run(sql: string, params?: Readonly<Record<string, DuckParam>>): Promise<void>
  rows(
    sql: string,
    params?: Readonly<Record<string, DuckParam>>,
  ): Promise<Record<string, unknown>[]>
  /**
   * The columns of a statement that yields numbers (`double`) without nulls, one array for each.
   * @param width how many columns it has.
   */
  columns(
    sql: string,
    width: number,
    params?: Readonly<Record<string, DuckParam>>,
  ): Promise<readonly Float64Array[]>
  /** The connection itself, for appenders. */
  readonly raw: DuckDBConnection
}

/** A DuckDB that is started by the first who needs it. */
export function lazyDuck(start: () => Promise<Duck>): Duck {
  let started: Promise<Duck> | null = null
  let isClosed = false
  return {
    async connect(work) {
      if (isClosed) throw new Error('DuckDB is closed')
      started ??= start()
      return (await started).connect(work)
    },
    close() {
      isClosed = true
      // Whoever still waits for the start is told by the connection that does not come.
      started?.then(
        (duck) => duck.close(),
        () => {},
      )
    },
  }
}

/** Starts DuckDB in this process. */
export async function startDuck(options: DuckOptions): Promise<Duck> {
  const spill = join(options.dataDir, 'tmp')
  await mkdir(spill, { recursive: true })
  const instance = await DuckDBInstance.create(':memory:', {
    memory_limit: `${options.memoryMb}MB`,
    temp_directory: spill,
    preserve_insertion_order: 'false',
    autoinstall_known_extensions: 'false',
    autoload_known_extensions: 'false',
    ...(options.threads ? { threads: String(options.threads) } : {}),
  })
  return {
    async connect(work) {
      const connection = await instance.connect()
      try {
        return await work(wrap(connection, options.memoryMb))
      } finally {
        connection.closeSync()
      }
    },
    close: () => instance.closeSync(),
  }
}

function wrap(connection: DuckDBConnection, memoryMb: number): Connection {
  const told = (error: unknown): never => {
    if (!String(error).includes('Out of Memory Error')) throw error
    throw new ConfigError(
      `DuckDB needs more memory than RIPEN_DUCKDB_MEMORY_MB=${memoryMb} lets it have; raise it, or set RIPEN_DUCKDB_THREADS=1`,
      { cause: error },
    )
  }
  return {
    raw: connection,
    async run(sql, params) {
      const { values, types } = bind(params)
      await connection.run(sql, values, types).catch(told)
    },
    async rows(sql, params) {
      const { values, types } = bind(params)
      const reader = await connection.runAndReadAll(sql, values, types).catch(told)
      return reader.getRowObjectsJS() as Record<string, unknown>[]
    },
    async columns(sql, width, params) {
      const { values, types } = bind(params)
      const result = await connection.stream(sql, values, types).catch(told)
      return readColumns(result, width).catch(told)
    },
  }
}

/** Row objects of hundreds of columns would cost more than all the rest. */
async function readColumns(result: DuckDBResult, width: number): Promise<readonly Float64Array[]> {
  const chunks: DuckDBDataChunk[] = []
  let rows = 0
  for (;;) {
    const chunk = await result.fetchChunk()
    if (!chunk || chunk.rowCount === 0) break
    chunks.push(chunk)
    rows += chunk.rowCount
  }
  return Array.from({ length: width }, (_, place) => {
    const column = new Float64Array(rows)
    let at = 0
    for (const chunk of chunks) {
      const vector = chunk.getColumnVector(place)
      if (!(vector instanceof DuckDBDoubleVector))
        throw new TypeError(`column ${place} is no double`)
      // As they lie there: to ask for one number after another costs ten times as much.
      column.set(vector['items'], at)
      at += chunk.rowCount
    }
    return column
  })
}

function bind(params: Readonly<Record<string, DuckParam>> = {}): {
  values: Record<string, DuckDBValue>
  types: Record<string, DuckDBType>
} {
  const values: Record<string, DuckDBValue> = {}
  const types: Record<string, DuckDBType> = {}
  for (const [name, value] of Object.entries(params)) {
    if (typeof value === 'string' || typeof value === 'number') {
      values[name] = value
    } else {
      values[name] = listValue([...value])
      types[name] = LIST(VARCHAR)
    }
  }
  return { values, types }
}

/** Adds values to `params` under new names and returns the names as SQL writes them. */
export function binder(params: Record<string, DuckParam>): (value: string) => string {
  return (value) => {
    const name = `p${Object.keys(params).length}`
    params[name] = value
    return `$${name}::varchar`
  }
}
