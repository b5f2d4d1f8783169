import { z } from 'zod'
import type { AccessTokens } from '../../../src/core/ports/access-tokens.ts'
import type {
  Allowance,
  CrmInspection,
  CrmNeeds,
  Finding,
  ObjectNeeds,
} from '../../../src/core/ports/crm-check.ts'
import { valueFindings } from '../../../src/core/sync/value-findings.ts'
import { campaignFindings } from './campaign-findings.ts'
import { STATIC_TOKEN } from './classify-error.ts'
import { describe, type ObjectDescription } from './describe.ts'
import { OBJECTS } from './objects.ts'
import { readOrganization } from './organization.ts'
import { DEPLOY, planFields } from './provision.ts'
import { parsed, type Session, sendOrThrow, unlessRefused } from './session.ts'
import { requiredFields } from './to-wire.ts'

const limit = z.object({ Max: z.number(), Remaining: z.number() })
const limitsShape = z.object({
  DailyApiRequests: limit.optional().catch(undefined),
  DailyBulkApiBatches: limit.optional().catch(undefined),
})
const userShape = z.object({
  name: z.string().nullish(),
  preferred_username: z.string().nullish(),
})

const API_CALLS = 'calls in 24 hours'
/** Of the daily calls, so many should be left before a sync. */
const LOW_SHARE = 0.1

/** Looks at the org as far as the mapping needs it; changes nothing. */
export async function inspect(
  session: Session,
  tokens: AccessTokens,
  needs: CrmNeeds,
  signal: AbortSignal,
): Promise<CrmInspection> {
  const organization = await readOrganization(session, signal)
  const allowances = await readAllowances(session, signal)
  const findings: Finding[] = [...(await userFindings(session, signal)), ...lowFindings(allowances)]
  for (const one of needs.objects) findings.push(...(await objectFindings(session, one, signal)))
  if (needs.tasks) findings.push(...(await taskFindings(session, signal)))
  findings.push(...(await campaignFindings(session, needs, signal)))
  if (needs.deals) findings.push(...(await dealFindings(session, signal)))
  const { id, type, timeZone } = organization
  const kind = tokens.name === STATIC_TOKEN ? `the session in ${STATIC_TOKEN}` : tokens.name
  return {
    account: { id, type, timeZone },
    credential: { kind, scopes: await tokens.scopes(signal) },
    allowances,
    findings,
  }
}

async function readAllowances(session: Session, signal: AbortSignal): Promise<Allowance[]> {
  const endpoint = 'GET limits'
  const call = { kind: 'read', method: 'GET', path: '/limits', endpoint } as const
  const limits = await unlessRefused(
    sendOrThrow(session, call, signal).then((answer) => parsed(answer, limitsShape, endpoint)),
  )
  const toAllowance = (name: string, one: z.output<typeof limit> | undefined): Allowance => ({
    name,
    limit: one?.Max ?? null,
    used: one ? one.Max - one.Remaining : null,
    resetsAt: null,
  })
  return [
    toAllowance(API_CALLS, limits?.DailyApiRequests),
    toAllowance('batches of the Bulk API in 24 hours', limits?.DailyBulkApiBatches),
  ]
}

function lowFindings(allowances: readonly Allowance[]): Finding[] {
  const day = allowances.find(({ name }) => name === API_CALLS)
  if (!day || day.limit === null || day.used === null) return []
  const left = day.limit - day.used
  if (left > day.limit * LOW_SHARE) return []
  const what = `${left} of ${day.limit} API calls are left; they come back over the next 24 hours`
  const mend = 'see in Setup, under API Usage, which other apps use them, or buy more'
  return [{ level: 'warning', about: 'limits', what, mend }]
}

async function userFindings(session: Session, signal: AbortSignal): Promise<Finding[]> {
  const endpoint = 'GET userinfo'
  const path = '/services/oauth2/userinfo'
  const result = await session.send({ kind: 'read', method: 'GET', path, endpoint }, signal)
  const user = result.ok ? parsed(result.answer, userShape, endpoint) : null
  const named = user?.preferred_username ?? user?.name ?? null
  if (named === null) return []
  return [{ level: 'ok', about: 'user', what: `logged in as ${named}`, mend: null }]
}

async function objectFindings(
  session: Session,
  needs: ObjectNeeds,
  signal: AbortSignal,
): Promise<Finding[]> {
  const { object, plan, alsoWritten, read } = needs
  const planned = await planFields(session, plan, signal)
  const findings: Finding[] = planned.drift.map(({ property, expected, found, mend }) => ({
    level: 'error',
    about: 'fields',
    what: `${object} field ${property}: expected ${expected}, found ${found}`,
    mend,
    of: { object, property: property.replace(/^\w+\./, '') },
  }))
  findings.push(...planned.findings)
  if (planned.missing.length > 0) {
    const what = `${object} fields that are not there yet, or hidden from this user: ${planned.missing.join(', ')}`
    findings.push({ level: 'warning', about: 'fields', what, mend: DEPLOY, of: { object } })
  }
  const key = plan.properties.find(({ unique }) => unique)?.name
  if (key !== undefined && planned.missing.some((one) => one.endsWith(key))) {
    const what = `the external id ${key} is missing: without it nothing can be written`
    const of = { object, property: key }
    findings.push({ level: 'error', about: 'fields', what, mend: DEPLOY, of })
  }
  const lacking: string[] = []
  const descriptions: ObjectDescription[] = []
  for (const one of OBJECTS[object]) {
    const description = await describe(session, one, signal)
    descriptions.push(description)
    if (!description.updateable) {
      const what = `${one} records cannot be edited by this user`
      const mend = 'assign the permission set Ripen Integration to the user of Ripen'
      findings.push({ level: 'error', about: 'permissions', what, mend })
    }
    lacking.push(
      ...[...read]
        .filter((field) => !description.fields.has(field))
        .map((field) => `${one}.${field}`),
    )
    if (alsoWritten.length > 0 && isCreated(session, one)) {
      findings.push(
        ...createFindings(one, description, [...alsoWritten]).map((f) => ({
          ...f,
          of: { object },
        })),
      )
    }
  }
  for (const field of read) {
    // A person is read from whichever record she has: one of the two must have the field.
    const missing = OBJECTS[object].every((one) => lacking.includes(`${one}.${field}`))
    if (!missing) continue
    const what = `${object} field ${field} is read by the mapping and not there, or hidden from this user`
    const mend = 'take a field that is there in the mapping, or let the user of Ripen see it'
    findings.push({ level: 'error', about: 'fields', what, mend, of: { object, property: field } })
  }
  findings.push(...valueFindings(needs, optionsOf(needs, descriptions)))
  if (findings.length > 0) return findings
  const what = `all ${plan.properties.length} fields of ${object} are there and can be written`
  return [{ level: 'ok', about: 'fields', what, mend: null }]
}

/** A person is a lead or a contact: what either may say. Null where the field holds any text. */
function optionsOf(
  { means }: ObjectNeeds,
  descriptions: readonly ObjectDescription[],
): readonly string[] | null {
  const fields = descriptions.flatMap(({ fields }) => fields.get(means?.property ?? '') ?? [])
  if (fields.length === 0 || fields.some(({ type }) => type !== 'picklist')) return null
  const values = fields.flatMap(({ picklistValues }) => picklistValues ?? [])
  return [...new Set(values.filter(({ active }) => active).map(({ value }) => value))]
}

function isCreated(session: Session, object: string): boolean {
  if (object === 'Account') return true
  return object === (session.rules.createAs === 'lead' ? 'Lead' : 'Contact')
}

function createFindings(
  object: string,
  description: Awaited<ReturnType<typeof describe>>,
  given: readonly string[],
): Finding[] {
  if (!description.createable) {
    const what = `${object} records cannot be created by this user, and the mapping creates some`
    const mend = `grant Create on ${object} to the user of Ripen, or set create: never`
    return [{ level: 'error', about: 'permissions', what, mend }]
  }
  const unknown = given.filter((field) => !description.fields.has(field))
  if (unknown.length > 0) {
    const what = `on-create names ${unknown.join(', ')}, which ${object} has not, or hides from this user`
    const mend = 'take these fields out of on-create in the mapping'
    return [{ level: 'error', about: 'fields', what, mend }]
  }
  const missing = requiredFields(description).filter((field) => !given.includes(field))
  if (missing.length === 0) return []
  const what = `a new ${object} needs ${missing.join(', ')}, and on-create gives no value to it`
  const mend = 'name these fields under on-create in the mapping'
  return [{ level: 'error', about: 'fields', what, mend }]
}

async function taskFindings(session: Session, signal: AbortSignal): Promise<Finding[]> {
  const { taskKeyField } = session.rules
  const task = await describe(session, 'Task', signal, { fresh: true })
  const key = task.fields.get(taskKeyField)
  if (key?.createable && task.createable) {
    return [{ level: 'ok', about: 'tasks', what: 'tasks can be created', mend: null }]
  }
  const what = task.createable
    ? `the activity field ${taskKeyField} is not there, or may not be written by this user`
    : 'tasks cannot be created by this user'
  return [{ level: 'error', about: 'tasks', what, mend: DEPLOY }]
}

async function dealFindings(session: Session, signal: AbortSignal): Promise<Finding[]> {
  const deal = await unlessRefused(describe(session, 'Opportunity', signal))
  const roles = await unlessRefused(describe(session, 'OpportunityContactRole', signal))
  if (deal?.queryable && roles?.queryable) {
    return [{ level: 'ok', about: 'deals', what: 'opportunities can be read', mend: null }]
  }
  const what = 'opportunities or their contact roles cannot be read by this user'
  return [{ level: 'error', about: 'deals', what, mend: DEPLOY }]
}
