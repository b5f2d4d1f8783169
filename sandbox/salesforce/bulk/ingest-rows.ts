import type { FieldDefinition, Value } from '../field-definition.ts'
import { keyOf, type ObjectTable } from '../object-table.ts'
import type { OrgState } from '../org-state.ts'
import { fieldNamed, type RecordInput, readCsvRecord } from '../record-input.ts'
import { type RecordWriter, repeatedKeys, type SaveOptions } from '../record-writer.ts'
import { RowError } from '../salesforce-error.ts'
import { readLongId } from '../salesforce-id.ts'
import type { StoredRow } from '../stored-row.ts'
import type { Transaction } from '../transaction.ts'
import type { IngestJob, RowOutcome } from './ingest-job.ts'

/** Saves the rows of one chunk in one transaction, each for itself. */
export function saveChunk(
  state: OrgState,
  writer: RecordWriter,
  job: IngestJob,
  rows: readonly (readonly string[])[],
): RowOutcome[] {
  const table = state.table(job.object)
  const chunk = new Chunk(state, writer, job, table)
  return state.transact(job.actor, (tx) => chunk.save(tx, rows))
}

/** The first column that the object does not have; undefined when all are known. */
export function unknownColumn(
  state: OrgState,
  table: ObjectTable,
  header: readonly string[],
): string | undefined {
  return header.find((name) => {
    const [relation = '', key] = name.split('.')
    if (key === undefined) return fieldNamed(table, name)?.visible !== true
    const reference = [...table.definition.fields.values()].find(
      ({ relationshipName }) => relationshipName === relation,
    )
    const target = reference?.referenceTo[0]
    return target === undefined || fieldNamed(state.table(target), key) === undefined
  })
}

class Chunk {
  private readonly state: OrgState
  private readonly writer: RecordWriter
  private readonly job: IngestJob
  private readonly table: ObjectTable
  private readonly key: FieldDefinition | undefined
  private readonly options: SaveOptions

  constructor(state: OrgState, writer: RecordWriter, job: IngestJob, table: ObjectTable) {
    this.state = state
    this.writer = writer
    this.job = job
    this.table = table
    this.key =
      job.externalIdFieldName === null ? undefined : fieldNamed(table, job.externalIdFieldName)
    this.options = {
      autoAssign: job.assignmentRuleId !== null,
      duplicates: { allowSave: false, includeRecordDetails: false },
      isMany: true,
    }
  }

  save(tx: Transaction, rows: readonly (readonly string[])[]): RowOutcome[] {
    const keys = rows.map((cells) => this.keyIn(cells))
    const repeated = this.key === undefined ? new Set<string>() : repeatedKeys(this.key, keys)
    return rows.map((cells, place) => {
      const mark = tx.mark()
      const value = keys[place] ?? null
      try {
        if (this.key && value !== null && repeated.has(keyOf(this.key, value))) {
          throw new RowError('DUPLICATE_VALUE', `Duplicate external id specified: ${value}`, [
            this.key.name,
          ])
        }
        const { row, created } = this.saveRow(tx, cells, value)
        return { cells, id: row.id, error: null, created }
      } catch (error) {
        tx.rollback(mark)
        if (!(error instanceof RowError)) throw error
        const { errorCode, message, fields } = error
        const text = `${errorCode}:${message}:${fields.join(', ')}${fields.length > 0 ? ' ' : ''}--`
        const id = this.job.operation === 'upsert' ? '' : (this.idIn(cells) ?? '')
        return { cells, id, error: text, created: false }
      }
    })
  }

  private saveRow(
    tx: Transaction,
    cells: readonly string[],
    value: Value,
  ): { readonly row: StoredRow; readonly created: boolean } {
    const { operation } = this.job
    if (operation === 'delete') {
      const row = this.rowOf(cells)
      this.writer.remove(tx, row)
      return { row, created: false }
    }
    const input = readCsvRecord(this.state, this.table, this.job.header, cells)
    if (operation === 'insert') {
      const row = this.writer.create(tx, this.table.definition.name, input, this.options)
      return { row, created: true }
    }
    if (operation === 'update') {
      const row = this.rowOf(cells)
      this.writer.update(tx, row, input, this.options)
      return { row, created: false }
    }
    return this.upsert(tx, input, value)
  }

  private upsert(
    tx: Transaction,
    input: RecordInput,
    value: Value,
  ): { readonly row: StoredRow; readonly created: boolean } {
    const field = this.key
    if (field === undefined || value === null) {
      throw new RowError('MISSING_ARGUMENT', `${this.job.externalIdFieldName} not specified`)
    }
    const rest = new Map([...input].filter(([one]) => one !== field))
    return this.writer.upsert(tx, this.table.definition.name, { field, value }, rest, this.options)
  }

  private keyIn(cells: readonly string[]): Value {
    const name = this.key?.name.toLowerCase()
    const place = this.job.header.findIndex((column) => column.toLowerCase() === name)
    return cells[place]?.trim() || null
  }

  private idIn(cells: readonly string[]): string | undefined {
    const place = this.job.header.findIndex((column) => column.toLowerCase() === 'id')
    return readLongId(cells[place]?.trim() ?? '')
  }

  private rowOf(cells: readonly string[]): StoredRow {
    const id = this.idIn(cells)
    if (id === undefined || this.state.tableOfId(id) !== this.table) {
      throw new RowError(
        'MALFORMED_ID',
        `${this.table.definition.label} ID: id value of incorrect type`,
        ['Id'],
      )
    }
    const row = this.table.rows.get(id)
    if (row === undefined) {
      throw new RowError('INVALID_CROSS_REFERENCE_KEY', 'invalid cross reference id')
    }
    return row
  }
}
