import { describe, expect, it } from '@jest/globals'
import { parseMappingSet } from '../../src/core/mapping/mapping-set.ts'
import { mappingFiles } from '../support/mapping-files.ts'

async function parse(text: string | null) {
  const files = await mappingFiles()
  return parseMappingSet(text === null ? files : { ...files, 'identity.yaml': text })
}

describe('identity.yaml', () => {
  it('may be missing', async () => {
    expect((await parse(null)).identity).toMatchObject({ shared: [], caps: { links: 500 } })
  })

  it('keeps the caps that it does not name', async () => {
    const { identity } = await parse('version: 1\ncaps: { users-per-email: 3 }\n')
    expect(identity.caps).toEqual({
      'users-per-email': 3,
      'users-per-device': 1,
      'users-per-alias': 1,
      links: 500,
    })
  })

  it.each([
    {
      name: 'an account that is free mail',
      text: 'accounts:\n  ann@x.com: gmail.com',
      want: "identity.yaml:3:3: accounts.ann@x.com: write a company's registrable domain",
    },
    {
      name: 'an account that is a part of a domain',
      text: 'groups:\n  ws-1: eu.acme.com',
      want: 'identity.yaml:3:3: groups.ws-1: write',
    },
    {
      name: 'an alias of free mail',
      text: 'domain-aliases:\n  gmail.com: acme.com',
      want: 'identity.yaml:3:3: domain-aliases.gmail.com: write',
    },
    {
      name: 'an alias of an alias',
      text: 'domain-aliases:\n  acme.de: acme.fr\n  acme.fr: acme.com',
      want: 'identity.yaml:3:3: domain-aliases.acme.de: acme.fr is another name itself',
    },
    {
      name: 'an id without a source',
      text: 'shared:\n  - kiosk',
      want: 'identity.yaml:3:5: shared.0: write an e-mail address, or <source>/u:',
    },
    {
      name: 'three who are not the same',
      text: 'not-the-same:\n  - [a@x.com, b@x.com, c@x.com]',
      want: 'identity.yaml:3:5: not-the-same.0: ',
    },
    {
      name: 'a cap of nothing',
      text: 'caps:\n  links: 0',
      want: 'identity.yaml:3:3: caps.links: ',
    },
    {
      name: 'an unknown field',
      text: 'nots-the-same: []',
      want: 'identity.yaml:2:1: nots-the-same: unknown field',
    },
  ])('refuses $name, with its place', async ({ text, want }) => {
    const message = await parse(`version: 1\n${text}\n`).then(
      () => 'accepted',
      (error: Error) => error.message,
    )
    expect(message).toContain(want)
  })
})
