import { execFileSync } from 'node:child_process'
import { existsSync, readFileSync, statSync } from 'node:fs'
import { dirname, join, relative } from 'node:path'
import { fileURLToPath } from 'node:url'
import { describe, expect, it } from '@jest/globals'
import { listPages, ROOT, readPage } from '../support/doc-pages.ts'

const root = fileURLToPath(ROOT)

/** The anchor that GitHub gives to a heading. */
const anchorOf = (heading: string): string =>
  heading
    .toLowerCase()
    .replace(/[^\p{L}\p{N} _-]/gu, '')
    .replaceAll(' ', '-')

const withoutCode = (text: string): string =>
  text.replace(/^```[\s\S]*?^```$/gm, '').replace(/`[^`\n]*`/g, '')

async function brokenLinks(page: string): Promise<string[]> {
  const links = [...withoutCode(await readPage(page)).matchAll(/\]\(([^)\s]+)\)/g)]
  const broken: string[] = []
  for (const [, target = ''] of links) {
    if (/^https?:/.test(target)) continue
    const [path = '', anchor] = target.split('#')
    const file = path === '' ? page : relative(root, join(root, dirname(page), path))
    if (file.startsWith('..') || !existsSync(join(root, file))) broken.push(target)
    else if (anchor !== undefined) {
      const headings = (await readPage(file)).matchAll(/^#+ (.*)$/gm)
      if (![...headings].some(([, text = '']) => anchorOf(text) === anchor)) broken.push(target)
    }
  }
  return broken
}

describe('pages', () => {
  it('link to files and headings that there are', async () => {
    for (const page of await listPages()) {
      expect({ page, broken: await brokenLinks(page) }).toEqual({ page, broken: [] })
    }
  })

  it('keep the changelog open at the top', async () => {
    const [first] = (await readPage('CHANGELOG.md')).match(/^## .*$/m) ?? []
    expect(first).toBe('## [Unreleased]')
  })
})

/** Null where this is no Git checkout, or git is missing. */
function trackedFiles(): string[] | null {
  try {
    const list = execFileSync('git', ['ls-files', '-z'], { cwd: root, encoding: 'utf8' })
    const files = list.split('\0').filter((name) => name !== '' && existsSync(join(root, name)))
    return files.filter((name) => statSync(join(root, name)).isFile())
  } catch {
    return null
  }
}

const files = trackedFiles()
const named = files === null ? describe.skip : describe

named('tracked files (needs git and a checkout)', () => {
  const REFUSED = [
    { what: 'a path of one machine', pattern: /(?<![\w.~-])\/(?:home|Users|work)\/[\w.-]+/ },
    { what: 'a folder outside the repository', pattern: /(?:\.\.\/)+shared\b/ },
    { what: 'an unfinished mark', pattern: /\b(?:TODO|FIXME|XXX)[:(]/ },
    { what: 'a conflict', pattern: /^(?:<{7}|>{7}) /m },
    { what: 'a private key', pattern: /-----BEGIN [A-Z ]*PRIVATE KEY/ },
  ]

  it.each(REFUSED)('hold no $what', ({ pattern }) => {
    const found = (files ?? []).filter((name) =>
      pattern.test(readFileSync(join(root, name), 'utf8')),
    )
    expect(found).toEqual([])
  })

  it('name no package registry but the public one', () => {
    const lock = readFileSync(join(root, 'package-lock.json'), 'utf8')
    const hosts = [...lock.matchAll(/"resolved": "https?:\/\/([^/"]+)/g)].map(([, host]) => host)
    expect(hosts.filter((host) => host !== 'registry.npmjs.org')).toEqual([])
  })
})
