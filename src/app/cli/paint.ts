import { styleText } from 'node:util'

type Style = 'green' | 'red' | 'yellow' | 'bold' | 'dim' | 'cyan'

/** Text in colour on a terminal that takes it (`NO_COLOR` says no), and as it is everywhere else. */
export function paint(style: Style, text: string): string {
  return styleText(style, text, { stream: process.stdout })
}

/** A unified diff, its lines in the colours that people know. */
export function paintPatch(patch: string): string {
  return patch
    .split('\n')
    .map((line) => {
      if (line.startsWith('@@')) return paint('cyan', line)
      if (line.startsWith('+')) return paint('green', line)
      return line.startsWith('-') ? paint('red', line) : line
    })
    .join('\n')
}
