import type { DownloadedFile, SqlQuery } from '../../../src/core/ports/usage-source.ts'
import { eventsSql } from './events-sql.ts'
import { pipelineEventsSql, pipelineLinksSql, pipelinePeopleSql } from './pipeline-sql.ts'
import { profilesSql } from './profiles-sql.ts'

/** Rows of the raw export, profiles and a JSON pipeline, whichever the files hold. */
export function rowsSql(files: readonly DownloadedFile[], timezone: string): SqlQuery {
  const of = (form: string | undefined) => files.filter((file) => file.form === form)
  const queries = [
    { files: rawExports(files), sql: (some: typeof files) => eventsSql(some, timezone) },
    { files: of('profiles'), sql: profilesSql },
    { files: of('pipeline-events'), sql: pipelineEventsSql },
    { files: of('pipeline-people'), sql: pipelinePeopleSql },
    { files: of('pipeline-links'), sql: pipelineLinksSql },
  ]
  const parts = queries.filter((query) => query.files.length > 0).map((q) => q.sql(q.files))
  return {
    sql: parts.map(({ sql }) => sql).join('\nunion all by name\n'),
    params: Object.assign({}, ...parts.map(({ params }) => params)),
  }
}

/** Files whose times are those of the project's clock. */
export function rawExports(files: readonly DownloadedFile[]): DownloadedFile[] {
  return files.filter((file) => file.form === undefined)
}
