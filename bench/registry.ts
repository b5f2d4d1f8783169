import type { Figure } from './figure.ts'
import { ingestAmplitude, ingestMixpanel } from './figures/ingest.ts'

/** Every figure that there is. */
export const FIGURES: readonly Figure[] = [ingestAmplitude, ingestMixpanel]
