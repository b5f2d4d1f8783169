const LETTERS = 'ABCDEFGHIJKLMNOPQRSTUVWXYZ012345'

/** An id of 15 characters with the check of upper and lower case that makes it 18; a longer one as it is. */
export function toLongId(id: string): string {
  if (id.length !== 15) return id
  const check = [0, 5, 10].map((from) => {
    const bits = [...id.slice(from, from + 5)].reduce(
      (sum, letter, place) => sum + (/[A-Z]/.test(letter) ? 2 ** place : 0),
      0,
    )
    return LETTERS[bits]
  })
  return id + check.join('')
}
