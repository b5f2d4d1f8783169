import { HubspotError } from './hubspot-error.ts'

/** So many upserts of one object within a time lock it for two seconds. */
export interface UpsertLock {
  readonly calls: number
  readonly withinMs: number
}

export interface Hold {
  readonly error: HubspotError
  readonly headers: Readonly<Record<string, string>>
}

const LOCK_MS = 2_000

/** What keeps calls out besides limits: locks after bursts of upserts, and a move to another data centre. */
export class AccountHolds {
  private readonly upserts = new Map<string, number[]>()
  private readonly lockedUntil = new Map<string, number>()
  private movedAt = 0
  private readonly upsertLock: UpsertLock | undefined

  constructor(upsertLock: UpsertLock | undefined) {
    this.upsertLock = upsertLock
  }

  /** Every call is answered 477 until then. */
  migrateUntil(at: number): void {
    this.movedAt = at
  }

  /** What holds this call up; an upsert that is let in counts towards a lock. */
  look(path: string, now: number): Hold | undefined {
    if (now < this.movedAt) {
      const message = 'This account is being migrated to another data center.'
      const seconds = String(Math.ceil((this.movedAt - now) / 1000))
      return {
        error: new HubspotError(477, 'MIGRATION_IN_PROGRESS', message),
        headers: { 'Retry-After': seconds },
      }
    }
    const object = /\/objects\/([^/]+)\/batch\/upsert$/.exec(path)?.[1]
    if (object === undefined || this.upsertLock === undefined) return undefined
    return this.lookAtUpsert(object, this.upsertLock, now)
  }

  private lookAtUpsert(object: string, lock: UpsertLock, now: number): Hold | undefined {
    const recent = (this.upserts.get(object) ?? []).filter((at) => at > now - lock.withinMs)
    const isLocked = now < (this.lockedUntil.get(object) ?? 0)
    if (!isLocked && recent.length < lock.calls) {
      this.upserts.set(object, [...recent, now])
      return undefined
    }
    if (!isLocked) this.lockedUntil.set(object, now + LOCK_MS)
    const message = 'The resource is locked by another operation. Try again later.'
    return { error: new HubspotError(423, 'LOCKED', message), headers: {} }
  }
}
