/** Chance that repeats itself: the same seed gives the same draws on every machine. */
export interface Random {
  /** From 0 up to, but without, 1. */
  next(): number
  /** A whole number from `least` to `most`, both included. */
  int(least: number, most: number): number
  chance(probability: number): boolean
  pick<T>(items: readonly T[]): T
  /** Picks by weight: `[item, weight]`. */
  weighted<T>(items: readonly (readonly [T, number])[]): T
}

/** A mulberry32 generator. Draws only 32-bit integers, so no platform's `Math` can change them. */
export function createRandom(seed: number): Random {
  let state = seed >>> 0
  const next = (): number => {
    state = (state + 0x6d2b79f5) >>> 0
    let mixed = Math.imul(state ^ (state >>> 15), state | 1)
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32
  }
  return {
    next,
    int: (least, most) => least + Math.floor(next() * (most - least + 1)),
    chance: (probability) => next() < probability,
    pick: (items) => at(items, Math.floor(next() * items.length)),
    weighted(items) {
      let left = next() * items.reduce((sum, [, weight]) => sum + weight, 0)
      for (const [item, weight] of items) {
        left -= weight
        if (left < 0) return item
      }
      return at(items, items.length - 1)[0]
    },
  }
}

/** The item at an index that must be there. */
export function at<T>(items: readonly T[], index: number): T {
  if (index < 0 || index >= items.length) throw new RangeError(`no item at ${index}`)
  return items[index] as T
}

/** Well-mixed 32 bits. For one salt, no two values share a result. */
export function mix(value: number, salt: number): number {
  let bits = (value ^ Math.imul(salt, 0x9e3779b1)) >>> 0
  bits = Math.imul(bits ^ (bits >>> 16), 0x85ebca6b)
  bits = Math.imul(bits ^ (bits >>> 13), 0xc2b2ae35)
  return (bits ^ (bits >>> 16)) >>> 0
}

const eightHex = (bits: number): string => bits.toString(16).padStart(8, '0')

/** 32 hexadecimal digits that belong to a value and a salt. */
export function hex32(value: number, salt: number): string {
  return [1, 2, 3, 4].map((part) => eightHex(mix(value, salt * 8 + part))).join('')
}

/** A UUID (in the form of version 4) that belongs to a value and a salt. */
export function uuidOf(value: number, salt: number): string {
  const hex = hex32(value, salt)
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-4${hex.slice(13, 16)}-a${hex.slice(17, 20)}-${hex.slice(20)}`
}
