import { z } from 'zod'
import type { AccessTokens } from '../../../src/core/ports/access-tokens.ts'
import type { CrmObject } from '../../../src/core/ports/crm.ts'
import type {
  Allowance,
  CrmInspection,
  CrmNeeds,
  Finding,
  ObjectNeeds,
} from '../../../src/core/ports/crm-check.ts'
import { valueFindings } from '../../../src/core/sync/value-findings.ts'
import { STATIC_TOKEN } from './classify-error.ts'
import { callAllowances, limitFindings } from './limits.ts'
import { listFindings } from './list-findings.ts'
import { rawRead, readPropertyQuotas, readValidationRules } from './property-definitions.ts'
import { notWritable, type PropertyDefinition } from './property-plan.ts'
import { type Planned, planProvision, unlessRefused } from './provision.ts'
import { engagementFindings, readScopes, scopeFindings } from './scopes.ts'
import type { Session } from './session.ts'
import { judgeRules } from './validation-rules.ts'
import type { Answer } from './wire-shapes.ts'

const accountShape = z.object({
  portalId: z.union([z.number(), z.string()]).transform(String),
  accountType: z.string().nullish().catch(null),
  timeZone: z.string().nullish().catch(null),
})

/** Looks at an account as far as a mapping needs it, without a write. */
export async function inspect(
  session: Session,
  tokens: AccessTokens,
  needs: CrmNeeds,
  signal: AbortSignal,
): Promise<CrmInspection> {
  const details = await readDetails(session, signal)
  const { data: account } = accountShape.safeParse(details?.body)
  const scopes = await readScopes(session, tokens, signal)
  const findings: Finding[] = []
  const toCreate = new Set<CrmObject>()
  for (const object of needs.objects) {
    const planned = await unlessRefused(planProvision(session, object.plan, signal))
    if (planned && isOpen(planned)) toCreate.add(object.object)
    findings.push(
      ...(planned ? await objectFindings(session, object, planned, signal) : [UNREADABLE(object)]),
    )
  }
  const missing = await scopeFindings(session, needs, scopes, (one) => toCreate.has(one), signal)
  const grouped = await listFindings(session, needs, signal)
  const logged = await engagementFindings(session, needs, signal)
  const allowances = await callAllowances(session, details?.headers ?? {}, signal)
  return {
    account: account
      ? {
          id: account.portalId,
          type: account.accountType ?? null,
          timeZone: account.timeZone ?? null,
        }
      : null,
    credential: { kind: kindOf(tokens), scopes },
    allowances: [...allowances, ...(await propertyAllowances(session, signal))],
    findings: [...missing, ...logged, ...grouped, ...limitFindings(allowances), ...findings],
  }
}

function kindOf({ name }: AccessTokens): string {
  return name === STATIC_TOKEN ? 'static token (service key or project app)' : 'OAuth'
}

/** The token must be right for it; whether it may ask for this is another matter. */
async function readDetails(session: Session, signal: AbortSignal): Promise<Answer | null> {
  const result = await session.send(rawRead(session, '/account-info/v3/details'), signal)
  if (result.ok) return result.answer
  if (result.failure.kind === 'failed' && !result.failure.forbidden) throw result.failure.error
  return null
}

function isOpen({ create, addOptions }: Planned): boolean {
  return create.length + addOptions.length > 0
}

const UNREADABLE = ({ object }: ObjectNeeds): Finding => ({
  level: 'error',
  about: 'properties',
  what: `the properties of ${object} cannot be read`,
  mend: 'see the scopes that are missing',
})

async function objectFindings(
  session: Session,
  needs: ObjectNeeds,
  planned: Planned,
  signal: AbortSignal,
): Promise<Finding[]> {
  const { object } = needs
  const rules = await unlessRefused(readValidationRules(session, object, signal))
  const others = needs.alsoWritten.flatMap((name) =>
    judgeRules(object, { name, type: 'string' }, rules?.get(name) ?? []),
  )
  const unseen: Finding[] = rules
    ? []
    : [
        {
          level: 'warning',
          about: 'rules',
          what: `the validation rules of ${object} cannot be read: a record may be refused for one`,
          mend: null,
        },
      ]
  return [
    ...propertyFindings(object, planned),
    ...planned.findings,
    ...needs.read.flatMap((name) => missingRead(object, name, planned)),
    ...valueFindings(needs, optionsOf(planned.live.get(needs.means?.property ?? ''))),
    ...needs.alsoWritten.flatMap((name) => missingWritten(object, name, planned)),
    ...others,
    ...unseen,
  ]
}

/** Owners and stages have their values elsewhere; a text holds anything. */
function optionsOf(definition: PropertyDefinition | undefined): readonly string[] | null {
  if (definition?.type !== 'enumeration' || definition.externalOptions) return null
  return (definition.options ?? []).map(({ value }) => value)
}

function propertyFindings(object: CrmObject, planned: Planned): Finding[] {
  const about = 'properties'
  const { create, addOptions, drift, noRoom, existing } = planned
  const findings: Finding[] = drift.map(({ property, expected, found, mend }) => ({
    level: 'error',
    about,
    what: `${object} property ${property}: expected ${expected}, found ${found}`,
    mend,
    of: { object, property },
  }))
  if (noRoom !== null) {
    findings.push({ level: 'error', about, what: noRoom, mend: null, of: { object } })
  }
  const mend = 'ripen provision --crm hubspot adds what is missing, and so does the next sync'
  if (create.length > 0) {
    const what = `${create.length} properties of ${object} are not there yet`
    findings.push({ level: 'warning', about, what, mend, of: { object } })
  }
  for (const { property, values } of addOptions) {
    const what = `${object} property ${property.name} lacks the options ${values.join(', ')}`
    const of = { object, property: property.name }
    findings.push({ level: 'warning', about, what, mend, of })
  }
  if (findings.length > 0) return findings
  return [{ level: 'ok', about, what: `all ${existing.length} of ${object} are there`, mend: null }]
}

function missingRead(object: CrmObject, name: string, { live }: Planned): Finding[] {
  if (live.has(name)) return []
  return [
    {
      level: 'error',
      about: 'properties',
      what: `${object} property ${name}, which the mapping reads, does not exist`,
      mend: 'correct the name in hubspot.yaml, or take it out',
      of: { object, property: name },
    },
  ]
}

function missingWritten(object: CrmObject, name: string, { live }: Planned): Finding[] {
  const found = live.get(name)
  const problem = found ? notWritable(found) : 'no such property'
  if (problem === null) return []
  return [
    {
      level: 'error',
      about: 'properties',
      what: `${object} property ${name}, which is set on new records, is ${problem}`,
      mend: 'take it out of on-create in hubspot.yaml',
      of: { object, property: name },
    },
  ]
}

async function propertyAllowances(session: Session, signal: AbortSignal): Promise<Allowance[]> {
  const quotas = await unlessRefused(readPropertyQuotas(session, signal))
  return [...(quotas ?? [])].map(([object, { limit, used }]) => ({
    name: `custom properties of ${object}`,
    limit,
    used,
    resetsAt: null,
  }))
}
