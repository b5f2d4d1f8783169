import type { z } from 'zod'

/** Where something is wrong, and what would be right. */
export interface Place {
  readonly path: PropertyKey[]
  readonly message: string
}

type Issue = z.core.$ZodIssue

/** What zod says of a union that has no words of its own. */
const NO_WORDS = 'Invalid input'

/** Puts one issue of a schema into words for those who edit the file. */
export function issuePlaces(issue: Issue, root: unknown): Place[] {
  const path = [...issue.path]
  if (issue.code === 'unrecognized_keys') {
    return issue.keys.map((key) => unknownField([...path, key]))
  }
  if (issue.code === 'invalid_union' && issue.errors.length > 0) {
    return unionPlaces(issue, root)
  }
  if (issue.code === 'invalid_key') {
    return issue.issues.map((inner) => ({ path, message: inner.message }))
  }
  const missing = /^invalid_(type|value)$/.test(issue.code) && at(root, path) === undefined
  const message = missing ? issue.message.replace(/^.*?: /, 'missing; ') : issue.message
  return [{ path, message: message.replace(', received undefined', '') }]
}

const unknownField = (path: PropertyKey[]): Place => ({
  path,
  message: 'unknown field; remove it or correct its name',
})

/** One form of a union, held against what stands in the file. */
interface Form {
  readonly issues: readonly Issue[]
  /** It is not even text, a list or an object as the form is. */
  readonly isOther: boolean
  /** Required fields that are not there. */
  readonly missing: readonly string[]
  /** Fields that are there and that the form does not know. */
  readonly unknown: readonly string[]
}

/**
 * What is wrong with the form that is meant: the one whose own fields are there. When none is meant, the
 * union's own words tell which there are.
 */
function unionPlaces(issue: z.core.$ZodIssueInvalidUnion, root: unknown): Place[] {
  const value = at(root, issue.path)
  const forms = issue.errors.map((issues) => formOf(issues, value))
  const alike = forms.filter(({ isOther }) => !isOther)
  const own = ({ missing }: Form) =>
    missing.filter((name) => alike.some((form) => !form.missing.includes(name)))
  const meant = alike.filter((form) => alike.length === 1 || own(form).length === 0)
  if (meant.length === 0 && issue.message !== NO_WORDS) {
    const unknown = alike[0]?.unknown.filter((name) =>
      alike.every((form) => form.unknown.includes(name)),
    )
    return [
      { path: [...issue.path], message: issue.message },
      ...(unknown ?? []).map((name) => unknownField([...issue.path, name])),
    ]
  }
  const among = [meant, alike, forms].find((list) => list.length > 0) ?? forms
  const nearest = among.reduce((best, next) => (distance(next) < distance(best) ? next : best))
  return nearest.issues.flatMap((inner) =>
    issuePlaces({ ...inner, path: [...issue.path, ...inner.path] } as Issue, root),
  )
}

const distance = (form: Form): number => 1000 * form.unknown.length + form.issues.length

function formOf(issues: readonly Issue[], value: unknown): Form {
  const isType = ({ code }: Issue) => code === 'invalid_type' || code === 'invalid_value'
  return {
    issues,
    isOther: issues.some((issue) => issue.path.length === 0 && isType(issue)),
    missing: issues
      .filter((i) => i.path.length === 1 && at(value, i.path) === undefined)
      .map(({ path }) => String(path[0])),
    unknown: issues.flatMap((i) =>
      i.code === 'unrecognized_keys' && i.path.length === 0 ? i.keys : [],
    ),
  }
}

/** What stands at a path; undefined where nothing does. */
function at(value: unknown, path: readonly PropertyKey[]): unknown {
  let found = value
  for (const step of path) {
    if (typeof found !== 'object' || found === null) return null
    found = (found as Record<PropertyKey, unknown>)[step]
  }
  return found
}
