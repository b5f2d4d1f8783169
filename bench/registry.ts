import type { Figure } from './figure.ts'
import { freshness } from './figures/freshness.ts'
import { hubspotSync } from './figures/hubspot-sync.ts'
import { ingestAmplitude, ingestMixpanel } from './figures/ingest.ts'
import { salesforceSync } from './figures/salesforce-sync.ts'
import { score, scoreMillion } from './figures/score.ts'
import { stream } from './figures/stream.ts'

/** Every figure that there is. */
export const FIGURES: readonly Figure[] = [
  ingestAmplitude,
  ingestMixpanel,
  stream,
  score,
  scoreMillion,
  hubspotSync,
  freshness,
  salesforceSync,
]
