/** One unit of replacement: half-open, UTC. For Amplitude an upload hour, for Mixpanel a day of the project. */
export interface UsageWindow {
  /** Unique within the source and sortable, such as `2026-09-01T05` or `2026-09-01`. */
  readonly key: string
  readonly start: Date
  readonly end: Date
}

/** Files of one download, on disk and verified to be whole. */
export interface DownloadedFile {
  readonly path: string
  /** The window that every row of this file belongs to; null when the rows say it themselves. */
  readonly windowKey: string | null
}

/** Files that are read together. A window may lie in several batches. */
export type FileBatch = readonly DownloadedFile[]

/** A DuckDB select with its named parameters (`$name`); never built from strings of input. */
export interface SqlQuery {
  readonly sql: string
  readonly params: Readonly<Record<string, string | number | readonly string[]>>
}

/**
 * A place that usage comes from.
 *
 * `eventsSql` yields one row for each event with these columns, in this order:
 * `window_key VARCHAR`, `event_key UUID` (equal for two copies of one event), `name VARCHAR`,
 * `occurred_at TIMESTAMP` (UTC), `arrived_at TIMESTAMP` (UTC), `user_id VARCHAR`, `device_id VARCHAR`,
 * `alias_id VARCHAR` (a vendor id that only links), `event_properties JSON`, `user_properties JSON`,
 * `groups JSON` (group keys by group type; null where the vendor has them among the event's properties).
 * A source may add `linked_ids VARCHAR[]`: ids that, by the vendor's own word, are the same person's,
 * each as `u:<user id>`, `d:<device id>` or `a:<alias id>`.
 */
export interface UsageSource {
  readonly name: string
  /** True where equal ids of all kinds are one id: an alias is the user or device of the same name. */
  readonly oneIdSpace?: boolean
  /**
   * A window that is over is pulled again for so long, since the vendor may still add to it; absent or
   * 0 = a window that is over does not change.
   */
  readonly lookBackMs?: number
  /** The windows within [from, to) that are complete and due at `now`, oldest first. */
  windows(from: Date, to: Date, now: Date): readonly UsageWindow[]
  /** Most windows that one download may span. */
  readonly maxWindowsPerDownload: number
  /**
   * Downloads adjacent windows into `dir`; yields the files in batches that are small enough to be
   * read together. The files of one batch may be removed once the next is asked for.
   * @throws {ConfigError} when credentials or the project are wrong.
   * @throws {RateLimitedError | RetryableError} when it may be tried again; nothing partial is kept.
   */
  download(
    windows: readonly UsageWindow[],
    dir: string,
    signal: AbortSignal,
  ): AsyncIterable<FileBatch>
  /**
   * Takes export files as the vendor ships them and lays them out for `eventsSql` in `dir`, in batches
   * as `download` does.
   * @throws {ConfigError} when a file is unreadable or cut short, naming the file and the line or entry.
   */
  open(paths: readonly string[], dir: string, signal: AbortSignal): AsyncIterable<FileBatch>
  eventsSql(files: readonly DownloadedFile[]): SqlQuery
  /**
   * Looks whether the files can be what the configuration says. Yields rows `problem VARCHAR`, each a
   * sentence that says what is wrong and what to set; none when all is well.
   */
  problemsSql?(files: readonly DownloadedFile[]): SqlQuery
}
