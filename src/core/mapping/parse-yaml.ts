import { isMap, isNode, isPair, isScalar, isSeq, LineCounter, type Node, parseDocument } from 'yaml'
import type { z } from 'zod'
import { ConfigError } from '../errors.ts'

/** One thing wrong with a file that RevOps edits, where it is and what would be right. */
export interface FileProblem {
  readonly file: string
  /** From 1; 0 when the whole file is meant. */
  readonly line: number
  readonly column: number
  readonly path: string
  readonly message: string
}

/**
 * Reads one YAML file against its schema.
 * @throws {ConfigError} that lists every problem with file, line and column.
 */
export function parseYaml<S extends z.ZodType>(text: string, file: string, schema: S): z.output<S> {
  const lines = new LineCounter()
  const document = parseDocument(text, { lineCounter: lines, uniqueKeys: true })
  const syntax = document.errors.map((error) => {
    const at = error.linePos?.[0]
    const message = error.message.split('\n')[0] ?? error.message
    return { file, line: at?.line ?? 0, column: at?.col ?? 0, path: '', message }
  })
  if (syntax.length > 0) throw problemsError(syntax)
  const result = schema.safeParse(document.toJS())
  if (result.success) return result.data
  throw problemsError(
    result.error.issues.flatMap((issue) =>
      issuePaths(issue).map(({ path, message }) => {
        const offset = offsetOf(document.contents, path)
        const at = offset === null ? { line: 0, col: 0 } : lines.linePos(offset)
        return { file, line: at.line, column: at.col, path: path.join('.'), message }
      }),
    ),
  )
}

/** Joins problems into one error, one line each: `file:line:column path: message`. */
export function problemsError(problems: readonly FileProblem[]): ConfigError {
  return new ConfigError(problems.map(formatProblem).join('\n'))
}

function formatProblem(problem: FileProblem): string {
  const place =
    problem.line > 0 ? `${problem.file}:${problem.line}:${problem.column}` : problem.file
  return `${place}: ${problem.path ? `${problem.path}: ` : ''}${problem.message}`
}

function issuePaths(issue: z.core.$ZodIssue): { path: PropertyKey[]; message: string }[] {
  if (issue.code === 'unrecognized_keys') {
    return issue.keys.map((key) => ({
      path: [...issue.path, key],
      message: 'unknown field; remove it or correct its name',
    }))
  }
  if (issue.code === 'invalid_union' && issue.errors.length > 0) {
    const nearest = issue.errors.reduce((best, next) => (next.length < best.length ? next : best))
    return nearest.flatMap((inner) =>
      issuePaths({ ...inner, path: [...issue.path, ...inner.path] } as z.core.$ZodIssue),
    )
  }
  return [{ path: [...issue.path], message: issue.message }]
}

/** Where in the text a path stands: its key if it is there, else the nearest parent that is. */
function offsetOf(root: Node | null, path: readonly PropertyKey[]): number | null {
  let node: unknown = root
  let offset = root?.range?.[0] ?? null
  for (const step of path) {
    if (isMap(node)) {
      const pair = node.items.find((item) => isScalar(item.key) && item.key.value === step)
      if (!isPair(pair)) return offset
      offset = (pair.key as Node).range?.[0] ?? offset
      node = pair.value
      continue
    }
    const child = childAt(node, step)
    if (child === null) return offset
    offset = child.range?.[0] ?? offset
    node = child
  }
  return offset
}

function childAt(node: unknown, step: PropertyKey): Node | null {
  if (!isSeq(node) || typeof step !== 'number') return null
  const child: unknown = node.items[step]
  return isNode(child) ? child : null
}
