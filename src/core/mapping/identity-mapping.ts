import { z } from 'zod'
import { businessDomain, normaliseEmail } from '../identity/email.ts'

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

const count = z.int().min(1)

/** What RevOps knows about people and accounts that usage does not say (mappings/identity.yaml). */
export const identityMappingSchema = z.strictObject({
  version: z.literal(1),
  /** Domains of one company: the first is another name of the second. */
  'domain-aliases': z.record(host, domain).default({}),
  /** Which account somebody belongs to, whatever else says: an address, a vendor id or a domain. */
  accounts: z.record(member, domainOrNone).default({}),
  /** Which account an analytics group is. */
  groups: z.record(z.string().min(1), domainOrNone).default({}),
  /** Pairs that are never one person. */
  'not-the-same': z.array(z.tuple([id, id])).default([]),
  /** Ids that join nobody. */
  shared: z.array(id).default([]),
  /** How many others one id may be seen with before it joins nobody. */
  caps: z
    .strictObject({
      'users-per-email': count.default(10),
      'users-per-device': count.default(1),
      'users-per-alias': count.default(1),
      links: count.default(500),
    })
    .prefault({}),
})

export type IdentityMapping = z.output<typeof identityMappingSchema>

/** What holds without an identity.yaml. */
export const NO_IDENTITY_MAPPING: IdentityMapping = identityMappingSchema.parse({ version: 1 })
