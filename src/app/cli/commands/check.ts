import type { Allowance, CrmInspection, Finding } from '../../../core/ports/crm-check.ts'
import { crmNeeds } from '../../../core/sync/crm-needs.ts'
import { accountProblem } from '../../../infra/postgres/crm-account-store.ts'
import type { App } from '../../compose.ts'
import { crmMapping, knownCrm, openCrm } from '../crm-of.ts'
import { describeFinding } from '../finding-text.ts'
import { table } from '../tables.ts'
import { type CommonOptions, print, printJson, withApp } from '../with-app.ts'

interface CheckOptions extends CommonOptions {
  readonly crm: string
}

/** What `ripen check` tells. */
export interface CheckResult extends CrmInspection {
  readonly crm: string
  /** False when there is an error among the findings. */
  readonly ok: boolean
}

/** `ripen check`: whether a CRM lets the mapping do its work. Ends with 2 when it does not. */
export async function checkCommand(options: CheckOptions): Promise<void> {
  const result = await withApp({ ...options, publish: false }, (app) => check(app, options))
  if (options.json) printJson(result)
  else print(describe(result))
  if (!result.ok) process.exitCode = 2
}

async function check(app: App, { crm, mappings }: CheckOptions): Promise<CheckResult> {
  const mapping = await crmMapping(app, crm, mappings)
  const needs = crmNeeds(mapping)
  const { signal } = new AbortController()
  const inspection = await openCrm(app, crm, mapping).inspect(needs, signal)
  const problem = await accountProblem(app.context.db, crm, inspection.account?.id ?? null)
  const other: Finding[] =
    problem === null ? [] : [{ level: 'error', about: 'account', what: problem, mend: null }]
  const { stream } = knownCrm(app, crm)
  const account = inspection.account?.id
  const heard = stream && account ? [await stream.inspect(account, signal)] : []
  const findings = [...other, ...inspection.findings, ...heard]
  return { crm, ok: findings.every(({ level }) => level !== 'error'), ...inspection, findings }
}

function describe({ crm, account, credential, allowances, findings }: CheckResult): string {
  const facts = [account?.type, account?.timeZone].filter((fact) => fact).join(', ')
  const who = account
    ? `${account.id}${facts ? ` (${facts})` : ''}`
    : 'that does not say which it is'
  const rows = allowances.map((allowance) => [`  ${allowance.name}`, describeAllowance(allowance)])
  return [
    `${crm} account ${who}, by ${credential.kind}`,
    table(rows),
    ...findings.flatMap(describeFinding),
  ].join('\n')
}

function describeAllowance({ limit, used, resetsAt }: Allowance): string {
  if (limit === null) return 'not told'
  const left = used === null ? '' : `, ${Math.max(0, limit - used)} left`
  return `${limit}${left}${resetsAt === null ? '' : `, anew at ${resetsAt}`}`
}
