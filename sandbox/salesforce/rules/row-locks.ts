import type { Value } from '../field-definition.ts'
import { RowError } from '../salesforce-error.ts'
import type { RowValues } from '../stored-row.ts'

/** Rows that somebody else is writing just then. */
export interface RowLock {
  /** Locks this record, and every record under it when it is an account. */
  readonly id?: string
  /** Locks this share of all records that are updated, always the same ones, from 0 to 1. */
  readonly share?: number
  /** Only records of this object. */
  readonly object?: string
  /** How many tries of one record fail before it goes through. Default 1. */
  readonly times?: number
}

/** Writes of a locked record fail with UNABLE_TO_LOCK_ROW. */
export class RowLocks {
  private locks: RowLock[] = []
  private readonly failures = new Map<string, number>()

  add(lock: RowLock): void {
    this.locks.push(lock)
  }

  clear(): void {
    this.locks = []
    this.failures.clear()
  }

  /** @throws {RowError} when a lock is met; each meeting uses up one of its times. */
  check(object: string, key: string, values: RowValues): void {
    for (const [place, lock] of this.locks.entries()) {
      if (!isMet(lock, object, key, values)) continue
      const count = `${place} ${lock.id === undefined ? key : ''}`
      const failed = this.failures.get(count) ?? 0
      if (failed >= (lock.times ?? 1)) continue
      this.failures.set(count, failed + 1)
      throw new RowError('UNABLE_TO_LOCK_ROW', 'unable to obtain exclusive access to this record')
    }
  }
}

const ABOVE = ['AccountId', 'WhatId', 'WhoId', 'OpportunityId', 'ContactId'] as const

function isMet(lock: RowLock, object: string, key: string, values: RowValues): boolean {
  if (lock.object !== undefined && lock.object !== object) return false
  if (lock.id !== undefined) {
    const ids: (Value | undefined)[] = [key, ...ABOVE.map((name) => values[name])]
    return ids.includes(lock.id)
  }
  return fractionOf(key) < (lock.share ?? 1)
}

/** A number from 0 to 1 that belongs to a text (FNV-1a, mixed). */
function fractionOf(text: string): number {
  let hash = 0x811c9dc5
  for (let place = 0; place < text.length; place++) {
    hash = Math.imul(hash ^ text.charCodeAt(place), 0x01000193)
  }
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b)
  return ((hash ^ (hash >>> 13)) >>> 0) / 2 ** 32
}
