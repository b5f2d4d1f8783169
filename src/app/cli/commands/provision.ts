import { noteProvisioned } from '../../../../jobs/steps/provision-once.ts'
import type { CrmObject, ProvisionResult } from '../../../core/ports/crm.ts'
import { crmNeeds } from '../../../core/sync/crm-needs.ts'
import { groupedDrift } from '../../../core/sync/grouped-drift.ts'
import type { App } from '../../compose.ts'
import { crmMapping, openCrm } from '../crm-of.ts'
import { describeFinding } from '../finding-text.ts'
import { type CommonOptions, print, printJson, withApp } from '../with-app.ts'

interface ProvisionCommandOptions extends CommonOptions {
  readonly crm: string
  readonly dryRun?: boolean
}

interface ObjectResult extends ProvisionResult {
  readonly object: CrmObject
  readonly group: string
}

/** What `ripen provision` tells. */
export interface ProvisionReport {
  readonly crm: string
  readonly dryRun: boolean
  /** False when something stands in the way. */
  readonly ok: boolean
  readonly objects: readonly ObjectResult[]
}

/** `ripen provision`: creates what the mapping needs in a CRM, or tells what it would. Ends with 2 when something stands in the way. */
export async function provisionCommand(options: ProvisionCommandOptions): Promise<void> {
  const report = await withApp({ ...options, publish: false }, (app) => provision(app, options))
  if (options.json) printJson(report)
  else print(describe(report))
  if (!report.ok) process.exitCode = 2
}

async function provision(app: App, options: ProvisionCommandOptions): Promise<ProvisionReport> {
  const { crm: name, dryRun = false } = options
  const mapping = await crmMapping(app, name, options.mappings)
  const crm = openCrm(app, name, mapping)
  const plans = crmNeeds(mapping).objects.map(({ plan }) => plan)
  const objects: ObjectResult[] = []
  for (const plan of plans) {
    const result = await crm.provision(plan, new AbortController().signal, { dryRun })
    objects.push({ object: plan.object, group: plan.group.name, ...result })
  }
  const ok = objects.every(isWell)
  if (ok && !dryRun) await noteProvisioned(app.context.db, name, plans)
  return { crm: name, dryRun, ok, objects }
}

/** Rules that refuse values are no obstacle here: HubSpot tells them record by record. */
function isWell({ drift, findings }: ObjectResult): boolean {
  const hasRoom = findings.every(({ level, about }) => level !== 'error' || about !== 'room')
  return drift.length === 0 && hasRoom
}

function describe({ crm, dryRun, objects }: ProvisionReport): string {
  const lines = objects.flatMap((result) => describeObject(result, dryRun))
  return [dryRun ? `${crm}, as it would be:` : `${crm}:`, ...lines].join('\n')
}

function describeObject(result: ObjectResult, dryRun: boolean): string[] {
  const { object, group, groupCreated, created, existing, optionsAdded, drift, findings } = result
  const made = dryRun ? 'to create' : 'created'
  return [
    `${object}: ${created.length} ${made}, ${existing.length} there, ${drift.length} not as they should be`,
    ...(groupCreated ? [`  + group ${group}`] : []),
    ...created.map((name) => `  + ${name}`),
    ...optionsAdded.map(({ property, values }) => `  + ${property}: ${values.join(', ')}`),
    ...groupedDrift(drift).flatMap(({ properties, expected, found, mend }) => [
      `  ✖ ${properties.join(', ')}: expected ${expected}, found ${found}`,
      `      ${mend}`,
    ]),
    ...findings.flatMap((finding) => describeFinding(finding)).map((line) => `  ${line}`),
  ]
}
