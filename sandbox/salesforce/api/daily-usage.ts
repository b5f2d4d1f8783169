const SLOT_MS = 300_000
const DAY_MS = 86_400_000

/** Limits of the org. */
export interface LimitOptions {
  /** Calls in any 24 hours. Default 1,000,000. */
  readonly dailyCalls?: number
  /** Calls that are let through above it. Default 0. */
  readonly overage?: number
  /** Batches of the bulk API in any 24 hours. Default 15,000. */
  readonly dailyBulkBatches?: number
}

/** Counts something over the last 24 hours. */
export class DailyUsage {
  private readonly slots = new Map<number, number>()

  add(now: number, count = 1): void {
    const slot = Math.floor(now / SLOT_MS)
    this.slots.set(slot, (this.slots.get(slot) ?? 0) + count)
  }

  used(now: number): number {
    const first = Math.floor((now - DAY_MS) / SLOT_MS) + 1
    let sum = 0
    for (const [slot, count] of this.slots) {
      if (slot < first) this.slots.delete(slot)
      else sum += count
    }
    return sum
  }
}

/** What the org may still do today. */
export class OrgLimits {
  readonly calls = new DailyUsage()
  readonly batches = new DailyUsage()
  readonly dailyCalls: number
  readonly dailyBulkBatches: number
  private readonly overage: number

  constructor(options: LimitOptions = {}) {
    this.dailyCalls = options.dailyCalls ?? 1_000_000
    this.overage = options.overage ?? 0
    this.dailyBulkBatches = options.dailyBulkBatches ?? 15_000
  }

  /** Counts a call; false when there is none left. */
  admit(now: number): boolean {
    if (this.calls.used(now) >= this.dailyCalls + this.overage) return false
    this.calls.add(now)
    return true
  }

  /** `Sforce-Limit-Info`. */
  header(now: number): string {
    const used = this.calls.used(now)
    const burst = used - this.dailyCalls
    const info = `api-usage=${used}/${this.dailyCalls}`
    return this.overage > 0 && burst > 0 ? `${info}; api-bursts=${burst}/${this.overage}` : info
  }
}
