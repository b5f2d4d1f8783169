import { readdir, readFile } from 'node:fs/promises'

/** Root of the repository. */
export const ROOT = new URL('../../', import.meta.url)

/** Text of a file, by its path from the root. */
export function readPage(path: string): Promise<string> {
  return readFile(new URL(path, ROOT), 'utf8')
}

/** Paths of every page of the documentation. */
export async function listPages(): Promise<string[]> {
  const docs = await readdir(new URL('docs/', ROOT), { recursive: true })
  const pages = docs.filter((name) => name.endsWith('.md')).map((name) => `docs/${name}`)
  return ['README.md', 'CONTRIBUTING.md', 'CHANGELOG.md', ...pages.sort()]
}

/** The fenced blocks of one language. */
export function codeBlocks(markdown: string, language: string): string[] {
  const fence = new RegExp(`^\`\`\`${language}\\n([\\s\\S]*?)^\`\`\`$`, 'gm')
  return [...markdown.matchAll(fence)].map((match) => match[1] ?? '')
}

/** The text under a heading, up to the next one of the same or a higher level. */
export function section(markdown: string, heading: string): string {
  const level = /^#+/.exec(heading)?.[0].length ?? 0
  const start = markdown.indexOf(`\n${heading}\n`)
  if (start < 0) throw new Error(`there is no heading ${heading}`)
  const body = markdown.slice(start + heading.length + 2)
  const end = new RegExp(`^#{1,${level}} `, 'm').exec(body.replace(/^```[\s\S]*?^```$/gm, blank))
  return end ? body.slice(0, end.index) : body
}

/** Rows of all tables whose first header cell is `first`; the header itself is left out. */
export function tableRows(markdown: string, first: string): string[][] {
  const rows: string[][] = []
  let header: string | null = null
  for (const line of markdown.split('\n')) {
    const cells = line.startsWith('|') ? line.slice(1, -1).split(' | ').map(trimBars) : null
    if (cells === null) header = null
    else if (header === null) header = cells[0] ?? ''
    else if (header === first && !/^[|: -]+$/.test(line)) rows.push(cells)
  }
  return rows
}

/** Every `code span` of a text. */
export function codeSpans(text: string): string[] {
  return [...text.matchAll(/`([^`\n]+)`/g)].map((match) => match[1] ?? '')
}

const trimBars = (cell: string): string => cell.replace(/^\||\|$/g, '').trim()
const blank = (text: string): string => text.replace(/[^\n]/g, ' ')
