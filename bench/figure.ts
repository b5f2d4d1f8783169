/** What a figure may use. */
export interface BenchContext {
  /** A temporary folder of this run; it is removed at the end. */
  readonly dir: string
  /** Size of generated data, uncompressed, in MB (millions of bytes). */
  readonly sizeMb: number
  /** How often each contender runs; the run in the middle counts. */
  readonly runs: number
  /** Aborts when the run is interrupted. */
  readonly signal: AbortSignal
  /** Tells a person who watches how far it is. */
  readonly note: (text: string) => void
}

/** One measurement beside its baseline. */
export interface Measured {
  readonly name: string
  readonly value: number
  readonly baseline: number
  /** Default: the unit of the figure. */
  readonly unit?: string
  /** Then the ratio is baseline to value: how many times the value fits into its baseline. */
  readonly lessIsBetter?: boolean
}

/** Something that is measured; its rows are named `<name>/<what it is compared with>`. */
export interface Figure {
  readonly name: string
  readonly unit: string
  /** Throws when what was measured did not do its work right. */
  run(context: BenchContext): Promise<readonly Measured[]>
}
