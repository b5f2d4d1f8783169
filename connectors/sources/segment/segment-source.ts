import { ConfigError } from '../../../src/core/errors.ts'
import type { UsageSource } from '../../../src/core/ports/usage-source.ts'

const nothingToPull = (): never => {
  throw new ConfigError(
    'Segment has no export to pull; set SEGMENT_WRITE_KEY and point Segment at the webhook of ripen serve',
  )
}

/** Segment as a source of usage: its calls come by webhook alone, so there is nothing to pull. */
export const segmentSource: UsageSource = {
  name: 'segment',
  maxWindowsPerDownload: 1,
  windows: () => [],
  download: nothingToPull,
  open: nothingToPull,
  eventsSql: nothingToPull,
}
