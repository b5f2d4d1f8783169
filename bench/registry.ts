import type { Figure } from './figure.ts'
import { ingestAmplitude } from './figures/ingest-amplitude.ts'
import { stream } from './figures/stream.ts'

/** Every figure that there is. */
export const FIGURES: readonly Figure[] = [ingestAmplitude, stream]
