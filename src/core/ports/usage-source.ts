/** One unit of replacement: half-open, UTC. For Amplitude an upload hour, for Mixpanel a day of the project. */
export interface UsageWindow {
  /**
   * Unique within the source and sortable, such as `2026-09-01T05` or `2026-09-01`. Windows with a `/` in
   * their key hold no events, but profiles or links between ids.
   */
  readonly key: string
  readonly start: Date
  readonly end: Date
  /** The pieces that a source which can be listed has of this window; absent for any other source. */
  readonly parts?: readonly WindowPart[]
}

/** A piece of a window that lies at the source by itself and may be replaced there, such as an object of a bucket. */
export interface WindowPart {
  readonly name: string
  /** Another one once its content is another. */
  readonly version: string
}

/** Files of one download, on disk and verified to be whole. */
export interface DownloadedFile {
  readonly path: string
  /** The window that every row of this file belongs to; null when the rows say it themselves. */
  readonly windowKey: string | null
  /** Which of the source's formats it has, where there are several; absent = its usual one. */
  readonly form?: string
  /** `YYYY-MM-DD`, for rows that have no time of their own. */
  readonly day?: string
}

/** Files that are read together. A window may lie in several batches. */
export type FileBatch = readonly DownloadedFile[]

/** A DuckDB select with its named parameters (`$name`); never built from strings of input. */
export interface SqlQuery {
  readonly sql: string
  readonly params: Readonly<Record<string, string | number | readonly string[]>>
}

/**
 * A query that reads of each event only what was asked for. In place of the properties it has a column
 * `value_<n> JSON` for the n-th place: null where the event has nothing there, or null. It may fail on rows
 * that it cannot read so; `eventsSql` reads them.
 */
export interface NarrowQuery extends SqlQuery {
  /** As `problemsSql`, over the table `batch` with the rows of this query. */
  readonly problems: SqlQuery | null
}

/** A faster way to read files when it is known what is wanted of them. */
export interface NarrowReading {
  /** Null where the files, or the places, do not let it be done. */
  eventsSql(files: readonly DownloadedFile[], places: readonly string[]): NarrowQuery | null
  /**
   * Some rows from all over the files, about so many bytes, laid out for `UsageSource.eventsSql` in `dir`;
   * the files themselves where they are no larger.
   */
  sample(
    files: readonly DownloadedFile[],
    dir: string,
    bytes: number,
  ): Promise<readonly DownloadedFile[]>
}

/** Where the next page of profiles begins, in the vendor's words. */
export interface ProfileCursor {
  readonly session: string
  readonly page: number
}

/** One page of profiles: a window of its own, which holds rows that are no events. */
export interface ProfilePage {
  readonly windowKey: string
  readonly batch: FileBatch
  /** Profiles of the whole set. */
  readonly total: number
  /** Null after the last page. */
  readonly next: ProfileCursor | null
}

/** Profiles that a vendor keeps beside its events, in sets of pages. */
export interface ProfileSource {
  readonly everyMs: number
  readonly sets: readonly string[]
  windowKey(set: string, page: number): string
  /**
   * Fetches one page into `dir`; null when the vendor does not know the cursor any more.
   * @throws as `UsageSource.download` does.
   */
  page(
    set: string,
    cursor: ProfileCursor | null,
    dir: string,
    now: Date,
    signal: AbortSignal,
  ): Promise<ProfilePage | null>
}

/** A look through windows of long ago for events that came since. */
export interface LateSweep {
  readonly everyMs: number
  /** How far back it looks. */
  readonly backMs: number
  /** Downloads only what arrived at `since` or later: it tells which windows to pull again. */
  download(
    windows: readonly UsageWindow[],
    since: Date,
    dir: string,
    signal: AbortSignal,
  ): AsyncIterable<FileBatch>
}

/**
 * A place that usage comes from.
 *
 * `eventsSql` yields one row for each event with these columns, in this order:
 * `window_key VARCHAR`, `event_key UUID` (equal for two copies of one event), `name VARCHAR`,
 * `occurred_at TIMESTAMP` (UTC), `arrived_at TIMESTAMP` (UTC), `user_id VARCHAR`, `device_id VARCHAR`,
 * `alias_id VARCHAR` (a vendor id that only links), `event_properties JSON`, `user_properties JSON`,
 * `groups JSON` (group keys by group type; null where the vendor has them among the event's properties).
 * A row named `ALIAS_MERGE` is no event.
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
  /**
   * How often a window that is not over yet is pulled; what it holds is provisional until then. Absent =
   * there are none.
   */
  readonly openEveryMs?: number
  readonly lateSweep?: LateSweep
  readonly profiles?: ProfileSource
  /** The windows within [from, to) that are complete and due at `now`, oldest first. */
  windows(from: Date, to: Date, now: Date): readonly UsageWindow[]
  /**
   * The windows within [from, to) by what lies at the source at `now`, with their parts. One without parts
   * is as empty as it will be, or what it held is gone. A source that has this is asked in place of `windows`.
   * @throws {ConfigError | RateLimitedError | RetryableError} as `download` does.
   */
  list?(from: Date, to: Date, now: Date, signal: AbortSignal): Promise<readonly UsageWindow[]>
  /** Most windows that one download may span. */
  readonly maxWindowsPerDownload: number
  /**
   * Downloads adjacent windows into `dir`; yields the files in batches that are small enough to be
   * read together. The files of one batch may be removed once the next is asked for.
   * @throws {ConfigError} when credentials or the project are wrong.
   * @throws {RefusedWindowError} when the vendor gives nothing of one window, even alone.
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
  readonly narrow?: NarrowReading
  /**
   * Looks whether the files can be what the configuration says. Yields rows `problem VARCHAR`, each a
   * sentence that says what is wrong and what to set; none when all is well. Null: nothing to look at.
   */
  problemsSql?(files: readonly DownloadedFile[]): SqlQuery | null
}
