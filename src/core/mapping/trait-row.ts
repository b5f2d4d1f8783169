import type { AccountRules } from '../identity/accounts.ts'
import { normaliseEmail } from '../identity/email.ts'
import type { TraitFile } from './traits-mapping.ts'

/** One line of a file of traits, as it stands there. */
export interface TraitRow {
  readonly line: number
  readonly id: string | null
  /** What the column of the date means, in milliseconds since 1970 UTC; null where that is no date. */
  readonly toldAt: number | null
  /** One for each trait of the declaration, in its order; null where nothing stands. */
  readonly told: readonly (string | null)[]
}

/** One thing that a file says. */
export interface RowTrait {
  readonly line: number
  /** A node of the identity graph, or `domain:<domain>`. */
  readonly about: string
  readonly name: string
  readonly value: string
  /** In milliseconds since 1970 UTC; null where the file has no dates. */
  readonly toldAt: number | null
}

/** Instants outside of these years are wrong patterns. */
const FIRST = Date.UTC(2000, 0, 1)
const END = Date.UTC(2100, 0, 1)

/** Longest value: what is longer is prose, not a trait. */
const MOST_TEXT = 500

/** What a line says; a text where something is wrong: which column, and the mend, but not what it holds. */
export function readTraitRow(
  file: TraitFile,
  row: TraitRow,
  { domainOf }: Pick<AccountRules, 'domainOf'>,
): readonly RowTrait[] | string {
  const { column, is } = file.id
  if (row.id === null) return `has nothing in ${column}, which says whom it is about; mend the line`
  const about = aboutOf(is, row.id, domainOf)
  if (about === null) {
    const what = is === 'email' ? 'e-mail address' : "company's own domain"
    return `holds no ${what} in ${column}; mend the line or correct id.is`
  }
  const { date } = file
  const { toldAt } = row
  if (date && (toldAt === null || toldAt < FIRST || toldAt >= END)) {
    return `holds in ${date.column} no date of the format ${date.format} between 2000 and 2100; mend the line or correct date.format`
  }
  const traits: RowTrait[] = []
  for (const [index, [name, from]] of Object.entries(file.traits).entries()) {
    const value = row.told[index] ?? null
    if (value !== null && value.length > MOST_TEXT) {
      return `holds more than ${MOST_TEXT} characters in ${from}; shorten it`
    }
    if (value !== null) traits.push({ line: row.line, about, name, value, toldAt })
  }
  return traits
}

function aboutOf(is: string, id: string, domainOf: AccountRules['domainOf']): string | null {
  if (is === 'email') {
    const email = normaliseEmail(id)
    return email === null ? null : `email/${email}`
  }
  if (is === 'domain') {
    const domain = domainOf(id.toLowerCase())
    return domain === null ? null : `domain:${domain}`
  }
  return `${is}:${id}`
}
