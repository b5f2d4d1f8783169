import { dayPauseEnds, leftOfShare } from '../../core/pace/day.ts'
import type { LimitsSaid, PaceBucket, Turn } from '../../core/ports/crm.ts'
import type { Db } from '../postgres/database.ts'
import { pauseAccount, readDays, storeDay, storeTimeZone } from '../postgres/pace-store.ts'
import { Lane, type LaneAccount, type LaneOptions } from './lane.ts'

/** What is kept of a day's quota that others use up too. */
export interface DayOptions {
  /** How much of the quota may be gone before we stop, 0 to 1. */
  readonly share: number
  /** Names the setting of `share` in messages. */
  readonly variable: string
  /** IANA name of the zone whose midnight ends the day; null = what `readTimeZone` finds out. */
  readonly timeZone: string | null
  /** Asks the vendor, once; null when it does not say. */
  readonly readTimeZone: () => Promise<string | null>
}

export interface GovernorOptions {
  readonly db: Db
  /** Unique for an account of a vendor. */
  readonly name: string
  /** The vendor's name, for messages. */
  readonly vendor: string
  readonly lanes: Readonly<Record<PaceBucket, LaneOptions>>
  readonly day?: DayOptions
  readonly clock?: () => Date
}

/** Gives turns to all callers of one account, in this and every other process. */
export interface Governor {
  /** @throws {RateLimitedError} when all calls are paused for longer than a worker should wait. */
  take(bucket: PaceBucket, signal: AbortSignal): Promise<Turn>
  /** Resolves when what was told is stored. */
  settled(): Promise<void>
}

/** The day's quota is stored no more often than this, unless it is used up. */
const STORE_DAY_EVERY_MS = 2_000

/**
 * The one place that decides when a call to a vendor's account may be made. What the vendor says beside
 * its answers is what it goes by; all processes share it through PostgreSQL, also across restarts.
 */
export function createGovernor(options: GovernorOptions): Governor {
  const { db, name, vendor, lanes } = options
  let storing = Promise.resolve()
  const store = (work: () => Promise<void>) => {
    // What could not be stored is said again with the next answer.
    storing = storing.then(work).catch(() => undefined)
  }
  const settled = () => storing
  const day = options.day ? createDay(options, options.day, store) : null
  const told = (said: LimitsSaid) => {
    if (said.refused?.of === 'account') {
      const { pauseMs } = said.refused
      store(() => pauseAccount(db, name, { pauseMs }, `${vendor} asked for a pause`))
    }
    day?.told(said)
  }
  const account: LaneAccount = { db, name, vendor, settled, store, told }
  const open = new Map<PaceBucket, Lane>()
  const laneOf = (bucket: PaceBucket): Lane => {
    const lane = open.get(bucket) ?? new Lane(lanes[bucket], account, bucket)
    open.set(bucket, lane)
    return lane
  }
  return { take: (bucket, signal) => laneOf(bucket).take(signal), settled }
}

function createDay(
  { db, name, vendor, clock = () => new Date() }: GovernorOptions,
  { share, variable, timeZone, readTimeZone }: DayOptions,
  store: (work: () => Promise<void>) => void,
) {
  let storedAtMs = Number.NEGATIVE_INFINITY
  let pausing = false
  const zone = async (): Promise<string | null> => {
    if (timeZone !== null) return timeZone
    const known = (await readDays(db)).find((row) => row.name === name)?.timeZone
    if (known) return known
    const read = await readTimeZone()
    if (read !== null) await storeTimeZone(db, name, read)
    return read
  }
  const pause = (why: string) => {
    if (pausing) return
    pausing = true
    store(async () => {
      try {
        const at = dayPauseEnds(clock(), await zone())
        await pauseAccount(db, name, { at }, `${why}; it goes on at ${at.toISOString()}`)
      } finally {
        pausing = false
      }
    })
  }
  return {
    told({ day, refused }: LimitsSaid) {
      if (day && day.calls > 0) {
        const isGone = leftOfShare(day, share) <= 0
        const now = performance.now()
        if (isGone || now - storedAtMs >= STORE_DAY_EVERY_MS) {
          storedAtMs = now
          store(() => storeDay(db, name, day))
        }
        if (isGone) {
          const used = day.calls - day.left
          pause(
            `${used} of ${day.calls} calls that ${vendor} allows the account today are used, the share of ${variable}`,
          )
        }
      }
      if (refused?.of === 'day') pause(`${vendor}'s quota of the account for today is used up`)
    },
  }
}
