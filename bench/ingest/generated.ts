import type { Expected } from './schedule.ts'

/** A generated export, as Ripen is given it and as the baselines read it. */
export interface GeneratedExport {
  readonly source: 'amplitude' | 'mixpanel'
  /** What `--files` names. */
  readonly files: string
  /** Folder of the files that hold the lines. */
  readonly folder: string
  readonly parts: number
  /** Before compression. */
  readonly bytes: number
  readonly expected: Expected
}
