import type { Figure } from './figure.ts'
import { ingestAmplitude, ingestMixpanel } from './figures/ingest.ts'
import { stream } from './figures/stream.ts'

/** Every figure that there is. */
export const FIGURES: readonly Figure[] = [ingestAmplitude, ingestMixpanel, stream]
