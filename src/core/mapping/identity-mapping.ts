import { z } from 'zod'
import { businessDomain, normaliseEmail } from '../identity/email.ts'
import { FORMAT_1 } from './format.ts'

const isVendorId = (text: string): boolean => /^[a-z][a-z0-9_-]*\/[uda]:.+$/.test(text)
const isDomain = (text: string): boolean => businessDomain(text) === text

const ID_HELP =
  'write an e-mail address, or <source>/u:<user id>, <source>/d:<device id> or <source>/a:<alias id>'

/** An e-mail address or an id of a vendor. */
const id = z.string().refine((text) => normaliseEmail(text) !== null || isVendorId(text), ID_HELP)

const DOMAIN_HELP =
  "write a company's registrable domain in lower case, such as acme.com; free and throw-away mail is no company"

const domain = z.string().refine(isDomain, DOMAIN_HELP)

const domainOrNone = z
  .string()
  .refine((text) => text === 'none' || isDomain(text), `${DOMAIN_HELP}; or none`)

/** Hosts are allowed here: part of a company may be an account of its own. */
const host = z.string().refine((text) => businessDomain(text) !== null, DOMAIN_HELP)

const member = z
  .string()
  .refine(
    (text) => normaliseEmail(text) !== null || isVendorId(text) || isDomain(text),
    `${ID_HELP}, or a company's domain`,
  )

const cap = (most: number, what: string) => z.int().min(1).default(most).describe(what)

/** What RevOps knows about people and accounts that usage does not say (mappings/identity.yaml). */
export const identityMappingSchema = z.strictObject({
  version: FORMAT_1,
  'domain-aliases': z
    .record(host, domain)
    .default({})
    .describe('Domains of one company: the first is another name of the second.'),
  accounts: z
    .record(member, domainOrNone)
    .default({})
    .describe('Which account an address, a vendor id or a domain belongs to, whatever else says.'),
  groups: z
    .record(z.string().min(1), domainOrNone)
    .default({})
    .describe('Which account an analytics group is.'),
  'not-the-same': z
    .array(z.tuple([id, id]))
    .default([])
    .describe('Pairs of ids that are never one person.'),
  shared: z.array(id).default([]).describe('Ids that join nobody.'),
  caps: z
    .strictObject({
      'users-per-email': cap(10, 'With more user ids an address joins nobody.'),
      'users-per-device': cap(1, 'With more user ids a device joins nobody.'),
      'users-per-alias': cap(1, 'With more user ids an alias joins nobody.'),
      links: cap(500, 'With more other ids of any kind an id joins nobody.'),
    })
    .prefault({})
    .describe('How many others one id may be seen with before it joins nobody.'),
})

export type IdentityMapping = z.output<typeof identityMappingSchema>

/** What holds without an identity.yaml. */
export const NO_IDENTITY_MAPPING: IdentityMapping = identityMappingSchema.parse({ version: 1 })
