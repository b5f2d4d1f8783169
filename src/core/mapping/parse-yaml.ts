import {
  type Alias,
  type Document,
  isMap,
  isNode,
  isPair,
  isScalar,
  isSeq,
  LineCounter,
  type Node,
  parseDocument,
  visit,
} from 'yaml'
import type { z } from 'zod'
import { ConfigError } from '../errors.ts'
import { issuePlaces } from './issue-places.ts'

/** One thing wrong with a file that RevOps edits, where it is and what would be right. */
export interface FileProblem {
  readonly file: string
  /** From 1; 0 when the whole file is meant. */
  readonly line: number
  readonly column: number
  readonly path: string
  readonly message: string
}

/** A file that passed its schema, and where things stand in it. */
export interface ParsedFile<T> {
  readonly data: T
  /** What is wrong at a path, for checks that no schema can make. */
  problem(path: readonly PropertyKey[], message: string): FileProblem
}

/**
 * Reads one YAML file against its schema.
 * @throws {ConfigError} that lists every problem with file, line and column.
 */
export function parseYaml<S extends z.ZodType>(text: string, file: string, schema: S): z.output<S> {
  return openYaml(text, file, schema).data
}

/**
 * The same, for a caller that checks further.
 * @throws {ConfigError} that lists every problem with file, line and column.
 */
export function openYaml<S extends z.ZodType>(
  text: string,
  file: string,
  schema: S,
): ParsedFile<z.output<S>> {
  const lines = new LineCounter()
  const document = parseDocument(text, { lineCounter: lines, uniqueKeys: true })
  const at = (offset: number | null, path: string, message: string): FileProblem => {
    const place = offset === null ? { line: 0, col: 0 } : lines.linePos(offset)
    return { file, line: place.line, column: place.col, path, message }
  }
  const syntax = document.errors.map((error) =>
    at(error.pos[0], '', error.message.split('\n')[0]?.replace(/ at line \d+.*$/, '') ?? ''),
  )
  if (syntax.length > 0) throw problemsError(syntax)
  const dangling = danglingAliases(document).map((alias) =>
    at(
      alias.range?.[0] ?? null,
      '',
      `*${alias.source} names nothing; quote text that begins with *`,
    ),
  )
  if (dangling.length > 0) throw problemsError(dangling)
  const value = plainValue(document, file)
  const result = schema.safeParse(value)
  const problem = (path: readonly PropertyKey[], message: string): FileProblem =>
    at(offsetOf(document.contents, path), path.join('.'), message)
  if (result.success) return { data: result.data, problem }
  throw problemsError(
    result.error.issues.flatMap((issue) =>
      issuePlaces(issue, value).map(({ path, message }) => problem(path, message)),
    ),
  )
}

function danglingAliases(document: Document.Parsed): Alias[] {
  const dangling: Alias[] = []
  visit(document, {
    Alias(_key, alias) {
      if (!alias.resolve(document)) dangling.push(alias)
    },
  })
  return dangling
}

function plainValue(document: Document.Parsed, file: string): unknown {
  try {
    return document.toJS()
  } catch (cause) {
    const why = cause instanceof Error ? cause.message : String(cause)
    throw problemsError([fileProblem(file, `${why}; write the values out`)])
  }
}

/** Files that RevOps edits are wrong. */
export class MappingError extends ConfigError {
  readonly problems: readonly FileProblem[]

  constructor(problems: readonly FileProblem[]) {
    super(problems.map((one) => `${placeOf(one)}: ${wordsOf(one)}`).join('\n'))
    this.problems = problems
  }
}

/** Joins problems into one error, one line each: `file:line:column path: message`. */
export function problemsError(problems: readonly FileProblem[]): MappingError {
  return new MappingError(problems)
}

/** `file:line:column`, or the file alone when the whole of it is meant. */
export function placeOf({ file, line, column }: FileProblem): string {
  return line > 0 ? `${file}:${line}:${column}` : file
}

/** What is wrong, with the field before it. */
export function wordsOf({ path, message }: FileProblem): string {
  return `${path ? `${path}: ` : ''}${message}`
}

/** Something that is wrong with a file as a whole. */
export function fileProblem(file: string, message: string): FileProblem {
  return { file, line: 0, column: 0, path: '', message }
}

/** Where in the text a path stands: its key if it is there, else the nearest parent that is. */
function offsetOf(root: Node | null, path: readonly PropertyKey[]): number | null {
  let node: unknown = root
  let offset = root?.range?.[0] ?? null
  for (const step of path) {
    if (isMap(node)) {
      const pair = node.items.find((item) => isKey(item.key, step))
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

function isKey(key: unknown, step: PropertyKey): boolean {
  return isScalar(key) && String(key.value) === String(step)
}

function childAt(node: unknown, step: PropertyKey): Node | null {
  if (!isSeq(node) || typeof step !== 'number') return null
  const child: unknown = node.items[step]
  return isNode(child) ? child : null
}
