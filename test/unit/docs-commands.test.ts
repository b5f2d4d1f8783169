import { execFile } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { beforeAll, describe, expect, it } from '@jest/globals'
import { codeBlocks, codeSpans, listPages, ROOT, readPage } from '../support/doc-pages.ts'

/** Options and number of arguments of each command, as its own help tells them. */
const commands = new Map<string, { options: readonly string[]; operands: number }>()
let scripts: readonly string[] = []

beforeAll(async () => {
  const list = (await help()).split('Commands:')[1] ?? ''
  const names = [...list.matchAll(/^ {2}(?!help)([a-z]+) /gm)].map((match) => match[1] ?? '')
  await Promise.all(names.map(async (name) => commands.set(name, describeHelp(await help(name)))))
  scripts = Object.keys(JSON.parse(await readPage('package.json')).scripts)
  // Every command is started once, all at the same time.
}, 240_000)

async function help(...command: string[]): Promise<string> {
  const args = ['src/app/cli/ripen.ts', ...command, '--help']
  const { stdout } = await promisify(execFile)(process.execPath, args, { cwd: fileURLToPath(ROOT) })
  return stdout
}

function describeHelp(text: string): { options: readonly string[]; operands: number } {
  const usage = /^Usage: (.*)$/m.exec(text)?.[1] ?? ''
  return {
    options: [...text.matchAll(/^ {2}(?:-[a-z], )?(--[a-z-]+)/gm)].map((match) => match[1] ?? ''),
    operands: usage.replace('[options]', '').match(/[<[]/g)?.length ?? 0,
  }
}

/** What is wrong with one command of the documentation; null when it would be understood. */
function problemOf(line: string): string | null {
  const [program, ...words] = line.trim().split(/\s+/)
  switch (program) {
    case 'npm':
      return npmProblem(words)
    case 'npx':
      return words[0] === 'ripen' ? ripenProblem(words.slice(1)) : 'npx runs something else'
    case 'ripen':
      return ripenProblem(words)
    case 'export':
    case 'docker':
      return null
    default:
      return 'unknown program'
  }
}

function npmProblem([verb, script, ...words]: readonly string[]): string | null {
  if (verb === 'ci') return null
  const name = verb === 'run' ? script : verb
  if (name === undefined || !scripts.includes(name)) return `there is no script ${name}`
  return name === 'ripen' && words[0] === '--' ? ripenProblem(words.slice(1)) : null
}

function ripenProblem([name, ...words]: readonly string[]): string | null {
  const known = commands.get(name ?? '')
  if (!known) return `there is no command ${name}`
  const options = words.filter((word) => word.startsWith('--'))
  const wrong = options.find((word) => !known.options.includes(word))
  if (wrong) return `${name} has no ${wrong}`
  if (options.length === 0 && words.length > known.operands) return `${name} takes no ${words[0]}`
  return null
}

const problemsIn = (lines: readonly string[]) =>
  lines.flatMap((line) => {
    const problem = problemOf(line)
    return problem === null ? [] : [{ line, problem }]
  })

describe('commands in the documentation', () => {
  it('in blocks are understood as they stand', async () => {
    for (const page of await listPages()) {
      const blocks = codeBlocks(await readPage(page), 'sh')
      const lines = blocks.flatMap((block) => block.trim().split(/\n|&&/))
      expect({ page, problems: problemsIn(lines) }).toEqual({ page, problems: [] })
    }
  })

  it('in sentences name commands, options and scripts that there are', async () => {
    for (const page of await listPages()) {
      const spans = codeSpans(await readPage(page)).flatMap((span) => span.split('&&'))
      const lines = spans.filter((span) => /^\s*(?:npx ripen|ripen|npm run) [a-z]/.test(span))
      expect({ page, problems: problemsIn(lines) }).toEqual({ page, problems: [] })
    }
  })

  it('would be found out if they were wrong', () => {
    const wrong = [
      'npx ripen push',
      'ripen pull --file x',
      'npm run nothing',
      'ripen status x',
      'x',
    ]
    expect(problemsIn(wrong)).toHaveLength(wrong.length)
  })
})

describe('the README', () => {
  it('names every command with all of its options', async () => {
    const spans = codeSpans(await readPage('README.md')).map((span) => span.split(' ')[0] ?? '')
    const named = new Set([...spans, ...codeSpans(await readPage('README.md'))])
    for (const [name, { options }] of commands) {
      const missing = [`ripen ${name}`, ...options].filter((word) => !named.has(word))
      expect({ name, missing }).toEqual({ name, missing: [] })
    }
    expect(commands.size).toBeGreaterThan(10)
  })
})

describe('CONTRIBUTING', () => {
  it('names every script', async () => {
    const text = await readPage('CONTRIBUTING.md')
    const missing = scripts.filter(
      (name) => !text.includes(`npm run ${name}`) && !text.includes(`npm ${name}`),
    )
    expect(missing).toEqual([])
  })
})
