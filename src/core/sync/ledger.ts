import type { CrmValue } from '../ports/crm.ts'

/** What Ripen remembers of one property of one record, beside what the record says. Instants are milliseconds since 1970 UTC. */
export interface FieldMark {
  /** Hash of the value that Ripen wrote last; absent before it wrote one. */
  readonly wrote?: string
  /** The one before it, while nobody knows whether the last write was carried out. */
  readonly was?: string
  /** When it wrote it. */
  readonly at?: number
  /** When another value than ours was seen first; absent while ours stands. */
  readonly edited?: number
  /** What the property should have said then, by us. */
  readonly over?: string
  /** What somebody else had said before, if that is what it should have said then. */
  readonly overTheirs?: string
  /** Where edits are protected: hash of the value of somebody else that was seen there last. */
  readonly theirs?: string
  /** Of a property that both sides fill: ours was sent, and nobody knows whether it arrived. */
  readonly sent?: true
  /** Somebody else made it say what it should. */
  readonly met?: true
  /** When Ripen put its own value back, within the last hour. */
  readonly rounds?: readonly number[]
  /** Since when it is left alone because somebody else puts another value back each time. */
  readonly parked?: number
}

/** By property; those of which there is nothing to remember are absent. */
export type Ledger = Readonly<Record<string, FieldMark>>

/** Short text that stands for a longer one. */
export type Hash = (text: string) => string

/** So often Ripen puts its value back within `ROUNDS_WITHIN_MS`; then the property is parked. */
export const MOST_ROUNDS = 3
export const ROUNDS_WITHIN_MS = 3_600_000

/** When our value was put back, as far as it counts now. */
export function recentRounds({ rounds = [] }: FieldMark, now: number): readonly number[] {
  // A clock that was set back forgets nothing.
  return rounds.filter((at) => now - at < ROUNDS_WITHIN_MS)
}

/** One text for all ways to write one value, ours or the CRM's. */
export function plainText(value: CrmValue): string {
  if (value === null) return ''
  if (Array.isArray(value)) return [...new Set(value)].sort().join(';')
  return String(value).replace(/\r\n?/g, '\n').trim()
}

/** True when a value, by its hash, is one that Ripen wrote. */
export function isOurs({ wrote, was }: FieldMark, hashed: string): boolean {
  return hashed === wrote || hashed === was
}

/** True when a value, by its hash, is somebody else's word, although Ripen may have written the same once. */
export function isTheirs({ theirs }: FieldMark, hashed: string): boolean {
  return theirs === hashed
}

/** What is known of the last write once the value, by its hash, was read. */
export function settled(mark: FieldMark, hashed: string): FieldMark {
  const { was, sent: _, ...rest } = mark
  return was === undefined || hashed !== was ? rest : { ...rest, wrote: was }
}

/** Properties that are parked, in the order of the alphabet. */
export function parkedFields(ledger: Ledger): string[] {
  return Object.keys(ledger)
    .filter((name) => ledger[name]?.parked !== undefined)
    .sort()
}

/** Gives parked properties another try. */
export function freed(ledger: Ledger): Ledger {
  const entries = Object.entries(ledger).map(([name, { parked, rounds, ...mark }]) => {
    // What it says is still somebody else's, even where they gave back what was ours once.
    return [name, parked === undefined ? mark : { edited: parked, ...mark }]
  })
  return Object.fromEntries(entries)
}
