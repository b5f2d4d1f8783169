import { ConfigError, isSyncFailure } from '../../../src/core/errors.ts'
import type {
  CrmProperty,
  ProvisionOptions,
  ProvisionPlan,
  ProvisionResult,
} from '../../../src/core/ports/crm.ts'
import type { Finding } from '../../../src/core/ports/crm-check.ts'
import { addMissingOptions, createBatch, ensureGroup, groupExists } from './apply-plan.ts'
import { readDefinitions, readPropertyQuotas, readValidationRules } from './property-definitions.ts'
import { comparePlan, type PlannedProperties, type PropertyDefinition } from './property-plan.ts'
import { MAX_BATCH } from './records.ts'
import type { Refusal } from './refusal.ts'
import { chunks, type Session } from './session.ts'
import { judgeRules } from './validation-rules.ts'

/** Another process may create the same properties at the same time: look again, then try once more. */
const MAX_ROUNDS = 2
/** HubSpot's limit of properties with unique values on one object. */
const MOST_UNIQUE = 10

/** A plan held against the account. */
export interface Planned extends PlannedProperties {
  readonly live: ReadonlyMap<string, PropertyDefinition>
  /** Why HubSpot has no room for what is missing; null when it has. */
  readonly noRoom: string | null
}

/** Looks at the account; changes nothing. */
export async function planProvision(
  session: Session,
  plan: ProvisionPlan,
  signal: AbortSignal,
): Promise<Planned> {
  const live = await readDefinitions(session, plan.object, signal)
  const isComplete = plan.properties.every(({ name }) => live.has(name))
  const archived = isComplete
    ? new Map<string, PropertyDefinition>()
    : await readDefinitions(session, plan.object, signal, true)
  const planned = comparePlan(plan, { live, archived: new Set(archived.keys()) })
  const noRoom =
    planned.create.length > 0 ? await roomProblem(session, plan, planned, live, signal) : null
  const rules = await ruleFindings(session, plan, planned, signal)
  return { ...planned, findings: [...planned.findings, ...rules], live, noRoom }
}

/**
 * Creates the group, the properties and the options that are missing. What is there is compared and left as
 * it is, and so is whatever others have made.
 */
export async function provision(
  session: Session,
  plan: ProvisionPlan,
  signal: AbortSignal,
  { dryRun = false }: ProvisionOptions = {},
): Promise<ProvisionResult> {
  const planned = await planProvision(session, plan, signal)
  if (dryRun) return foretold(session, plan, planned, signal)
  if (planned.drift.length > 0) return untouched(planned)
  if (planned.noRoom !== null) throw new ConfigError(planned.noRoom)
  const groupCreated = await ensureGroup(session, plan, signal)
  const created = await createMissing(session, plan, planned, signal)
  for (const { property } of planned.addOptions) {
    await addMissingOptions(session, plan, property, signal)
  }
  const { drift, findings, addOptions } = planned
  const others = planned.create.filter(({ name }) => !created.includes(name))
  const existing = [...planned.existing, ...others.map(({ name }) => name)]
  const optionsAdded = addOptions.map(toAdded)
  return { groupCreated, created, existing, optionsAdded, drift, findings }
}

/** While something is not as it should be, nothing is made that might have to be made otherwise. */
function untouched({ existing, drift, findings }: Planned): ProvisionResult {
  return { groupCreated: false, created: [], existing, optionsAdded: [], drift, findings }
}

async function foretold(
  session: Session,
  plan: ProvisionPlan,
  planned: Planned,
  signal: AbortSignal,
): Promise<ProvisionResult> {
  const { create, existing, addOptions, drift, findings, noRoom } = planned
  const blocked: Finding[] =
    noRoom === null ? [] : [{ level: 'error', about: 'room', what: noRoom, mend: null }]
  return {
    groupCreated: !(await groupExists(session, plan, signal)),
    created: create.map(({ name }) => name),
    existing,
    optionsAdded: addOptions.map(toAdded),
    drift,
    findings: [...findings, ...blocked],
  }
}

/** Looks again after each round: what others have created meanwhile is there. */
async function createMissing(
  session: Session,
  plan: ProvisionPlan,
  planned: Planned,
  signal: AbortSignal,
): Promise<string[]> {
  const created: string[] = []
  let refusal: Refusal | null = null
  let missing: readonly CrmProperty[] = planned.create
  for (let round = 0; missing.length > 0; round += 1) {
    if (round === MAX_ROUNDS) throw new ConfigError(notCreated(plan, refusal))
    for (const batch of chunks(missing, MAX_BATCH)) {
      const answer = await createBatch(session, plan, batch, signal)
      created.push(...answer.created)
      refusal = answer.refusal ?? refusal
    }
    const live = await readDefinitions(session, plan.object, signal)
    missing = missing.filter(({ name }) => !live.has(name))
  }
  return created
}

/** Both limits are looked at before anything is created; a limit that cannot be read is HubSpot's to enforce. */
async function roomProblem(
  session: Session,
  plan: ProvisionPlan,
  { create }: PlannedProperties,
  live: ReadonlyMap<string, PropertyDefinition>,
  signal: AbortSignal,
): Promise<string | null> {
  const unique = [...live.values()].filter(
    ({ hasUniqueValue, hubspotDefined }) => hasUniqueValue === true && hubspotDefined !== true,
  )
  const key = create.find((property) => property.unique)
  if (key && unique.length >= MOST_UNIQUE) {
    return (
      `HubSpot allows ${MOST_UNIQUE} properties with unique values on one object, and ${plan.object} has ` +
      `${unique.map(({ name }) => name).join(', ')}: delete one of them there, so that ${key.name} can be created`
    )
  }
  const quotas = await unlessRefused(readPropertyQuotas(session, signal))
  const quota = quotas?.get(plan.object)
  if (!quota || quota.used + create.length <= quota.limit) return null
  return (
    `HubSpot has room for ${Math.max(0, quota.limit - quota.used)} more custom properties of ${plan.object} ` +
    `(${quota.used} of ${quota.limit} are used), and ${create.length} are missing: delete some there, or take some out of the mapping`
  )
}

/** Properties that are still to be created have no rules yet. */
async function ruleFindings(
  session: Session,
  plan: ProvisionPlan,
  { existing }: PlannedProperties,
  signal: AbortSignal,
): Promise<Finding[]> {
  if (existing.length === 0) return []
  const rules = await unlessRefused(readValidationRules(session, plan.object, signal))
  if (!rules) return []
  return plan.properties.flatMap((property) =>
    judgeRules(plan.object, property, rules.get(property.name) ?? []),
  )
}

/** Something that is good to know, but that this account or token does not let us see. */
export async function unlessRefused<T>(work: Promise<T>): Promise<T | null> {
  try {
    return await work
  } catch (error) {
    if (isSyncFailure(error) && error.kind === 'config') return null
    throw error
  }
}

function toAdded({ property, values }: PlannedProperties['addOptions'][number]) {
  return { property: property.name, values }
}

function notCreated(plan: ProvisionPlan, refusal: Refusal | null): string {
  const facts = [
    refusal?.property && `property ${refusal.property}`,
    refusal?.code,
    refusal?.category,
    refusal?.correlationId && `correlation id ${refusal.correlationId}`,
  ].filter(Boolean)
  return (
    `HubSpot did not create all properties of ${plan.object} in group ${plan.group.name}` +
    `${facts.length > 0 ? ` (${facts.join(', ')})` : ''}.`
  )
}
