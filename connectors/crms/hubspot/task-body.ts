import { cut, MAX_VALUE_CHARACTERS } from './to-wire.ts'

const ENTITIES: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
}
const CHARACTERS: Readonly<Record<string, string>> = {
  amp: '&',
  lt: '<',
  gt: '>',
  quot: '"',
  apos: "'",
  nbsp: ' ',
}

/**
 * The body of a task as HubSpot shows it: the text as HTML, and the marker on a last line of its own.
 * A text that is too long loses its end, never the marker.
 */
export function toTaskBody(text: string, marker: string): string {
  const reference = `<br><br>Ref: ${escapeHtml(marker)}`
  return fitHtml(text.trimEnd(), MAX_VALUE_CHARACTERS - reference.length) + reference
}

/** The markers in a body as HubSpot returns it, edited by people or not. */
export function markersIn(body: string): string[] {
  return toPlainText(body)
    .split('\n')
    .map((line) => /^Ref: (.+)$/.exec(line.trim())?.[1])
    .filter((marker) => marker !== undefined)
}

/** The same body with a line above it. One that has become too long loses its end, never a marker. */
export function withNote(body: string, note: string): string {
  const noted = `${escapeHtml(note)}<br><br>${body}`
  if (noted.length <= MAX_VALUE_CHARACTERS) return noted
  const text = toPlainText(body).replace(/^Ref: .+$/gm, '')
  return toTaskBody(`${note}\n\n${text}`, markersIn(body).at(-1) ?? '')
}

/** Whether a body, edited by people or not, has this line. */
export function hasNote(body: string, note: string): boolean {
  return toPlainText(body)
    .split('\n')
    .some((line) => line.trim() === note.trim())
}

function fitHtml(text: string, maxCharacters: number): string {
  let html = ''
  for (const character of cut(text.replace(/\r\n?/g, '\n'), maxCharacters)) {
    const piece = character === '\n' ? '<br>' : escapeHtml(character)
    if (html.length + piece.length > maxCharacters) break
    html += piece
  }
  return html
}

function escapeHtml(text: string): string {
  return text.replace(/[&<>"']/g, (character) => ENTITIES[character] ?? character)
}

/** HubSpot's editor may wrap lines in blocks of its own and write entities in its own way. */
function toPlainText(html: string): string {
  return html
    .replace(/<(?:br|\/?(?:p|div|li|ul|ol|tr|h[1-6]))\b[^>]*>/gi, '\n')
    .replace(/<[^>]*>/g, '')
    .replace(/&(?:#(\d{1,6})|#x([0-9a-f]{1,6})|([a-z]+));/gi, (entity, decimal, hex, name) => {
      if (decimal !== undefined) return fromCodePoint(Number(decimal), entity)
      if (hex !== undefined) return fromCodePoint(Number.parseInt(hex, 16), entity)
      return CHARACTERS[String(name).toLowerCase()] ?? entity
    })
}

function fromCodePoint(codePoint: number, entity: string): string {
  return codePoint <= 0x10ffff ? String.fromCodePoint(codePoint) : entity
}
