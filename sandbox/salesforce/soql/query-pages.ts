import { badRequest } from '../salesforce-error.ts'
import { makeId } from '../salesforce-id.ts'
import type { QueryResult } from './run-query.ts'

const MAX_ROWS = 2000
const MIN_ROWS = 200
/** Rows that are wider than about 500 characters make pages smaller, as they do at Salesforce. */
const PAGE_CHARACTERS = 1_000_000
const MAX_CURSORS = 500

/** Hands out what queries found in pages. */
export class QueryPages {
  private readonly cursors = new Map<string, { result: QueryResult; rows: number }>()
  private count = 0

  /** The first page. `batchSize` is a wish from `Sforce-Query-Options`. */
  first(result: QueryResult, apiVersion: string, batchSize = MAX_ROWS): string {
    const rows = Math.max(MIN_ROWS, Math.min(MAX_ROWS, batchSize))
    return this.page({ result, rows }, 0, apiVersion, null)
  }

  /** @throws {SalesforceError} INVALID_QUERY_LOCATOR. */
  next(locator: string, apiVersion: string): string {
    const [cursorId = '', offset = ''] = locator.split('-')
    const cursor = this.cursors.get(cursorId)
    const start = Number(offset)
    if (cursor === undefined || !(start > 0 && start < cursor.result.count)) {
      throw badRequest('INVALID_QUERY_LOCATOR', 'invalid query locator')
    }
    return this.page(cursor, start, apiVersion, cursorId)
  }

  private page(
    cursor: { result: QueryResult; rows: number },
    start: number,
    apiVersion: string,
    known: string | null,
  ): string {
    const { result, rows } = cursor
    const shown: string[] = []
    let characters = 0
    let place = start
    while (place < result.count && shown.length < rows) {
      if (characters > PAGE_CHARACTERS && shown.length >= 100) break
      const text = JSON.stringify(result.view(place))
      shown.push(text)
      characters += text.length
      place++
    }
    const done = place >= result.count
    const head = `{"totalSize":${result.totalSize},"done":${done}`
    if (done) return `${head},"records":[${shown.join(',')}]}`
    const id = known ?? this.keep(cursor)
    const url = JSON.stringify(`/services/data/v${apiVersion}/query/${id}-${place}`)
    return `${head},"nextRecordsUrl":${url},"records":[${shown.join(',')}]}`
  }

  private keep(cursor: { result: QueryResult; rows: number }): string {
    const id = makeId('01g', ++this.count)
    this.cursors.set(id, cursor)
    const [oldest] = this.cursors.keys()
    if (this.cursors.size > MAX_CURSORS && oldest !== undefined) this.cursors.delete(oldest)
    return id
  }
}
