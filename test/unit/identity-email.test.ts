import { describe, expect, it } from '@jest/globals'
import fc from 'fast-check'
import { companyDomain, emailKind, normaliseEmail } from '../../src/core/identity/email.ts'

describe('an e-mail address', () => {
  it.each([
    { name: 'is trimmed and lower-cased', text: '  Ann.Lee@Acme.COM\n', want: 'ann.lee@acme.com' },
    { name: 'keeps its plus part', text: 'ann+trial@acme.com', want: 'ann+trial@acme.com' },
    { name: 'keeps an apostrophe', text: "o'neil@acme.ie", want: "o'neil@acme.ie" },
    { name: 'may stand at an IP host', text: 'a@10.0.0.1', want: 'a@10.0.0.1' },
    { name: 'may stand at a host without a dot', text: 'root@localhost', want: 'root@localhost' },
    {
      name: 'has 64 characters before the @',
      text: `${'a'.repeat(64)}@b.co`,
      want: `${'a'.repeat(64)}@b.co`,
    },
    { name: 'has no 65 characters before the @', text: `${'a'.repeat(65)}@b.co`, want: null },
    { name: 'is not empty', text: '', want: null },
    { name: 'is not a name', text: 'ann', want: null },
    { name: 'is not half: no host', text: 'ann@', want: null },
    { name: 'is not half: no person', text: '@acme.com', want: null },
    { name: 'has one @', text: 'ann@lee@acme.com', want: null },
    { name: 'has no blank', text: 'ann lee@acme.com', want: null },
    { name: 'has no two dots together in the host', text: 'ann@acme..com', want: null },
    { name: 'has no two dots together in the name', text: 'ann..lee@acme.com', want: null },
    { name: 'has no dot at the end', text: 'ann@acme.com.', want: null },
    { name: 'has no dash at the start of the host', text: 'ann@-acme.com', want: null },
    { name: 'is no header', text: '"Ann" <ann@acme.com>', want: null },
    { name: 'is no link', text: 'mailto:ann@acme.com', want: null },
    { name: 'is no list', text: 'ann@acme.com,bob@acme.com', want: null },
    { name: 'has no bracketed host', text: 'ann@[10.0.0.1]', want: null },
  ])('$name', ({ text, want }) => {
    expect(normaliseEmail(text)).toBe(want)
  })

  it('is the same however often it is normalised', () => {
    fc.assert(
      fc.property(fc.oneof(fc.emailAddress(), fc.string()), (text) => {
        const once = normaliseEmail(text)
        if (once !== null) expect(normaliseEmail(once)).toBe(once)
      }),
    )
  })
})

describe('the kind of an address and the company it names', () => {
  it.each([
    { email: 'ann@acme.com', kind: 'business', domain: 'acme.com' },
    { email: 'ann@us.ibm.com', kind: 'business', domain: 'ibm.com' },
    { email: 'ann@lab.ntt.co.jp', kind: 'business', domain: 'ntt.co.jp' },
    { email: 'ann@mail.acme.co.uk', kind: 'business', domain: 'acme.co.uk' },
    { email: 'ann+trial@acme.io', kind: 'business', domain: 'acme.io' },
    { email: 'ann@oath.com', kind: 'business', domain: 'oath.com' },
    { email: 'ann@mail.oath.com', kind: 'business', domain: 'oath.com' },
    { email: 'ann@cable.comcast.com', kind: 'business', domain: 'comcast.com' },
    { email: 'ann@gmail.com', kind: 'free', domain: null },
    { email: 'ann+trial@googlemail.com', kind: 'free', domain: null },
    { email: 'ann@yahoo.co.jp', kind: 'free', domain: null },
    { email: 'ann@mail.yahoo.com', kind: 'free', domain: null },
    { email: 'ann@hotmail.de', kind: 'free', domain: null },
    { email: 'ann@web.de', kind: 'free', domain: null },
    { email: 'ann@qq.com', kind: 'free', domain: null },
    { email: 'ann@comcast.net', kind: 'free', domain: null },
    { email: 'ann@proton.me', kind: 'free', domain: null },
    { email: 'ann@tuta.com', kind: 'free', domain: null },
    { email: 'ann@fastmail.com', kind: 'free', domain: null },
    { email: 'a1b2c3@mozmail.com', kind: 'free', domain: null },
    { email: 'a1b2c3@privaterelay.appleid.com', kind: 'free', domain: null },
    { email: '123+ann@users.noreply.github.com', kind: 'free', domain: null },
    { email: 'ann@github.com', kind: 'business', domain: 'github.com' },
    { email: 'ann@mailinator.com', kind: 'disposable', domain: null },
    { email: 'ann@x.mailinator.com', kind: 'disposable', domain: null },
    { email: 'ann@yopmail.com', kind: 'disposable', domain: null },
    { email: 'ann@acme.invalid', kind: 'business', domain: null },
    { email: 'ann@server.local', kind: 'business', domain: null },
    { email: 'ann@localhost', kind: 'business', domain: null },
    { email: 'ann@10.0.0.1', kind: 'business', domain: null },
    { email: 'ann@co.uk', kind: 'business', domain: null },
  ])('$email is $kind, of $domain', ({ email, kind, domain }) => {
    expect(emailKind(email)).toBe(kind)
    expect(companyDomain(email)).toBe(domain)
  })
})
