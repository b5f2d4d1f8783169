const DIGITS = '0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz'
const SUFFIX = 'ABCDEFGHIJKLMNOPQRSTUVWXYZ012345'
/** Instance and reserved characters that follow the key prefix in every id of this org. */
const INSTANCE = 'Hs0'
const PATTERN = /^[a-zA-Z0-9]{15}([a-zA-Z0-9]{3})?$/

/** The 18-character id of an object's nth record. Later numbers sort after earlier ones. */
export function makeId(keyPrefix: string, nth: number): string {
  let rest = ''
  for (let left = nth; left > 0; left = Math.floor(left / 62)) {
    rest = DIGITS.charAt(left % 62) + rest
  }
  return withSuffix(keyPrefix + INSTANCE + rest.padStart(9, '0'))
}

/**
 * An id in its 18-character form; undefined for what is none. The last three characters tell which
 * of the first fifteen are capitals, so that an id survives a tool that does not keep case.
 */
export function readLongId(given: string): string | undefined {
  if (!PATTERN.test(given)) return undefined
  if (given.length === 15) return withSuffix(given)
  const short = recased(given.slice(0, 15), given.slice(15).toUpperCase())
  return short === undefined ? undefined : withSuffix(short)
}

function withSuffix(short: string): string {
  let suffix = ''
  for (let chunk = 0; chunk < 3; chunk++) {
    let bits = 0
    for (let place = 0; place < 5; place++) {
      if (isCapital(short.charCodeAt(chunk * 5 + place))) bits |= 1 << place
    }
    suffix += SUFFIX.charAt(bits)
  }
  return short + suffix
}

function recased(short: string, suffix: string): string | undefined {
  let text = ''
  for (let place = 0; place < 15; place++) {
    const bits = SUFFIX.indexOf(suffix.charAt(Math.floor(place / 5)))
    if (bits < 0) return undefined
    const char = short.charAt(place)
    text += (bits >> (place % 5)) & 1 ? char.toUpperCase() : char.toLowerCase()
  }
  return text
}

function isCapital(code: number): boolean {
  return code >= 65 && code <= 90
}
