import type { MixpanelHosts } from './hosts.ts'

export interface MixpanelOptions extends MixpanelHosts {
  readonly projectId: string
  readonly serviceAccount: string
  readonly secret: string
  /** The project's zone if it is from before 2023, else UTC. */
  readonly timezone: string
  /** Asked for permission before every query: a project has 60 an hour and 3 a second. */
  readonly pace?: (signal: AbortSignal) => Promise<void>
  /** Days that are over are pulled again for so long. */
  readonly lookBackDays?: number
  /** How often the project's current day is pulled. */
  readonly openDayEveryMs?: number
  /** How often older days are looked through for events that came late, and how far back; 0 = never. */
  readonly sweepEveryMs?: number
  readonly sweepDays?: number
  /** How often profiles are pulled; 0 = never. */
  readonly profilesEveryMs?: number
  /** Ids of the data groups whose profiles are pulled (`data_group_id`), by group key. */
  readonly groups?: Readonly<Record<string, string>>
  /** A connection that is silent for so long is given up. */
  readonly idleMs?: number
}

/** Mixpanel takes minutes to begin with a large answer. */
export const IDLE_MS = 300_000
