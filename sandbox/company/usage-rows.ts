/**
 * Rows of a usage tool, kept by bucket: an upload hour (`YYYY-MM-DDTHH`) for Amplitude, a day
 * (`YYYY-MM-DD`) for Mixpanel. Each row is one JSON text without a line end.
 * A plain `Map<string, string[]>` keeps this shape; a lazy source may write its rows when asked.
 */
export interface UsageRows {
  keys(): Iterable<string>
  get(key: string): readonly string[] | undefined
}

/** Rows that arrive in parts: what was there first, and what is added later. */
export interface GrowingRows extends UsageRows {
  add(rows: UsageRows): void
  /** The buckets from `first` to `last`, both included, that hold rows, oldest first. */
  between(first: string, last: string): readonly string[]
}

/** Lays later arrivals over the rows of the start, without copying either. */
export function growingRows(start: UsageRows): GrowingRows {
  const layers: UsageRows[] = [start]
  const known = new Set(start.keys())
  let sorted: readonly string[] = [...known].sort()
  return {
    keys: () => sorted,
    get(key) {
      const found = layers.flatMap((layer) => layer.get(key) ?? [])
      return found.length > 0 ? found : undefined
    },
    add(rows) {
      layers.push(rows)
      for (const key of rows.keys()) known.add(key)
      sorted = [...known].sort()
    },
    between: (first, last) => sorted.filter((key) => key >= first && key <= last),
  }
}

/** Rows that are written out only when a bucket is asked for. */
export function lazyRows<T>(
  buckets: ReadonlyMap<string, T>,
  write: (bucket: T) => readonly string[],
): UsageRows {
  return {
    keys: () => buckets.keys(),
    get(key) {
      const bucket = buckets.get(key)
      return bucket === undefined ? undefined : write(bucket)
    },
  }
}
