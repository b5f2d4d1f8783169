import { type PlacedFinding, placeFindings } from '../../../core/mapping/finding-places.ts'
import { mappingProblems } from '../../../core/mapping/mapping-set.ts'
import type { FileProblem } from '../../../core/mapping/parse-yaml.ts'
import type { Allowance, CrmInspection, Finding } from '../../../core/ports/crm-check.ts'
import { readConfig } from '../../../infra/config.ts'
import { accountProblem } from '../../../infra/postgres/crm-account-store.ts'
import type { App } from '../../compose.ts'
import { crmMapping, crmNeedsOf, knownCrm, openCrm } from '../crm-of.ts'
import { describeFinding } from '../finding-text.ts'
import { paint } from '../paint.ts'
import { describeProblems } from '../problems-text.ts'
import { table } from '../tables.ts'
import {
  type CommonOptions,
  OWN_MAPPINGS,
  print,
  printJson,
  readFilesOf,
  readFolder,
  withApp,
} from '../with-app.ts'

interface CheckOptions extends CommonOptions {
  readonly crm?: string
}

/** What `ripen check` tells of the files. */
export interface FilesResult {
  readonly folder: string
  readonly files: readonly string[]
  /** False when there is a problem. */
  readonly ok: boolean
  readonly problems: readonly FileProblem[]
}

/** What `ripen check --crm` tells besides. */
export interface CheckResult extends CrmInspection {
  readonly crm: string
  /** Each with its place in the files, where it is about something in them. */
  readonly findings: readonly PlacedFinding[]
  /** False when there is an error among the findings. */
  readonly ok: boolean
}

/**
 * `ripen check`: whether the mapping files are right, and with `--crm` whether a CRM lets them do their work.
 * Ends with 2 when not. Files alone need neither a database nor a CRM.
 */
export async function checkCommand({ crm, ...options }: CheckOptions): Promise<void> {
  if (crm === undefined) return checkFiles(options)
  const asked = { ...options, crm }
  const result = await withApp({ ...options, publish: false }, (app) => check(app, asked))
  if (options.json) printJson(result)
  else print(describe(result))
  if (!result.ok) process.exitCode = 2
}

async function checkFiles({ mappings, json }: CommonOptions): Promise<void> {
  const { absolute: folder, files } = await readFilesOf(
    mappings ?? readConfig().RIPEN_MAPPINGS_DIR ?? OWN_MAPPINGS,
  )
  const problems = mappingProblems(files)
  const result = { folder, files: Object.keys(files), ok: problems.length === 0, problems }
  if (json) printJson(result)
  else print(describeFiles(result))
  if (!result.ok) process.exitCode = 2
}

function describeFiles({ folder, files, problems }: FilesResult): string {
  if (problems.length === 0) {
    return `${paint('green', '✔')} ${folder}: ${files.length} files, no problem`
  }
  const wrong = new Set(problems.map(({ file }) => file)).size
  const head = `${paint('red', '✖')} ${folder}: ${problems.length} problems in ${wrong} of ${files.length} files`
  return [head, ...describeProblems(problems)].join('\n')
}

type CrmOptions = CheckOptions & { readonly crm: string }

async function check(app: App, { crm, mappings }: CrmOptions): Promise<CheckResult> {
  const mapping = await crmMapping(app, crm, mappings)
  const needs = await crmNeedsOf(app, crm, mappings)
  const { signal } = new AbortController()
  const inspection = await openCrm(app, crm, mapping).inspect(needs, signal)
  const problem = await accountProblem(app.context.db, crm, inspection.account?.id ?? null)
  const other: Finding[] =
    problem === null ? [] : [{ level: 'error', about: 'account', what: problem, mend: null }]
  const { stream } = knownCrm(app, crm)
  const account = inspection.account?.id
  const heard = stream && account ? [await stream.inspect(account, signal)] : []
  const { files } = await readFolder(app, mappings)
  const findings = placeFindings([...other, ...inspection.findings, ...heard], crm, files)
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
    ...findings.flatMap((finding) => describeFinding(finding)),
  ].join('\n')
}

function describeAllowance({ limit, used, resetsAt }: Allowance): string {
  if (limit === null) return 'not told'
  const left = used === null ? '' : `, ${Math.max(0, limit - used)} left`
  return `${limit}${left}${resetsAt === null ? '' : `, anew at ${resetsAt}`}`
}
