import { disposableEmailBlocklistSet } from 'disposable-email-domains-js'
import emailProviders from 'email-providers/all.json' with { type: 'json' }
import freeEmailDomains from 'free-email-domains'
import { parse } from 'tldts'

export type EmailKind = 'business' | 'free' | 'disposable'

/**
 * Free-mail hosts that neither list has, found by probing both lists with the providers that
 * people of this field meet most.
 */
const FREE_BESIDES = [
  'tutanota.com',
  'tuta.com',
  'tutamail.com',
  'users.noreply.github.com',
  'fastmail.com',
  'duck.com',
  'mozmail.com',
  'simplelogin.com',
  'aleeas.com',
  'anonaddy.com',
  'anonaddy.me',
]

/** Company domains that the lists take for free mail. */
const NOT_FREE = new Set(['cable.comcast.com', 'oath.com'])

const free = new Set<string>([...freeEmailDomains, ...emailProviders, ...FREE_BESIDES])

const disposable = disposableEmailBlocklistSet()

const SHAPE = /^[^\s@"<>()[\],;:\\]{1,64}@[a-z0-9](?:[a-z0-9.-]{0,251}[a-z0-9])?$/

/** Trims and lower-cases; null when it is no e-mail address. */
export function normaliseEmail(text: string): string | null {
  const email = text.trim().toLowerCase()
  return SHAPE.test(email) && !email.includes('..') ? email : null
}

/** What kind of address it is, judged by its host and its registrable domain. `email` is normalised. */
export function emailKind(email: string): EmailKind {
  const host = hostOf(email)
  const domain = parse(host).domain ?? host
  if (NOT_FREE.has(host) || NOT_FREE.has(domain)) return 'business'
  // First: half of the hosts in the lists of free mail are throw-away ones.
  if (disposable.has(host) || disposable.has(domain)) return 'disposable'
  return free.has(host) || free.has(domain) ? 'free' : 'business'
}

/**
 * The registrable domain that names the company of a business address (`us.ibm.com` → `ibm.com`);
 * null for free and disposable mail, for addresses of machines, and for names that cannot be
 * registered (`.invalid`, `.local`; the Public Suffix List's ICANN part decides).
 */
export function companyDomain(email: string): string | null {
  if (emailKind(email) !== 'business') return null
  const host = parse(hostOf(email))
  return host.isIcann === true && host.isIp === false ? host.domain : null
}

/** The registrable domain of a company's host name; null where `companyDomain` says null. */
export function businessDomain(host: string): string | null {
  const email = normaliseEmail(`x@${host}`)
  return email === null ? null : companyDomain(email)
}

/** The host name of an address. */
export function hostOf(email: string): string {
  return email.slice(email.lastIndexOf('@') + 1)
}
