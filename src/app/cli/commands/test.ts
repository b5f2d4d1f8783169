import type { RecordPreview } from '../../../../jobs/steps/preview-records.ts'
import { ConfigError } from '../../../core/errors.ts'
import { readEffective } from '../../../infra/mappings/published.ts'
import { recordsOf } from '../../../infra/postgres/crm-record-store.ts'
import type { App } from '../../compose.ts'
import { type Explanation, explain, findPerson } from '../../explanation.ts'
import { evidenceIn } from '../../identity-evidence.ts'
import { type Preview, previewSync } from '../../preview.ts'
import { knownCrm, openCrm } from '../crm-of.ts'
import { describeTest } from '../test-text.ts'
import { type CommonOptions, print, printJson, withApp } from '../with-app.ts'

interface TestOptions extends CommonOptions {
  readonly crm?: string
}

/** What one CRM would be told about a person and her account. */
export interface CrmTest {
  readonly crm: string
  /** Why it could not be asked; null when it was. */
  readonly problem: string | null
  readonly records: readonly RecordPreview[]
  /** The calls that would be made, in their order. */
  readonly calls: readonly PlannedCall[]
}

export interface PlannedCall {
  readonly call: string
  readonly about: string
  readonly values: number
}

/** What `ripen test` tells. */
export interface TestResult {
  readonly person: Explanation
  /** Null when she is in no account. */
  readonly account: Explanation | null
  readonly mapping: { readonly version: number; readonly folder: string }
  readonly crms: readonly CrmTest[]
}

/** `ripen test`: takes one person through the whole path and shows each step. Writes nothing. */
export async function testCommand(email: string, options: TestOptions): Promise<void> {
  const result = await withApp({ ...options, publish: false }, (app) => test(app, email, options))
  if (options.json) return printJson(result)
  print(describeTest(result))
}

async function test(app: App, email: string, { crm }: TestOptions): Promise<TestResult> {
  const { db } = app.context
  const found = await findPerson(db, email)
  const person = found && (await explain(db, found.id, evidenceIn(app.context)))
  if (!found || !person) {
    throw new ConfigError(
      `${email} is nobody's e-mail address here; ripen status says what was pulled`,
    )
  }
  const { version, folder, set } = await readEffective(db)
  if (crm !== undefined) knownCrm(app, crm)
  const names = crm === undefined ? [...set.crms.keys()] : [crm]
  const refs = { contact: [found.id], company: found.account_id ? [found.account_id] : [] }
  const crms: CrmTest[] = []
  for (const name of names) crms.push(await testCrm(app, set, name, refs))
  return {
    person,
    account: found.account_id === null ? null : await explain(db, found.account_id),
    mapping: { version, folder },
    crms,
  }
}

type Set = Awaited<ReturnType<typeof readEffective>>['set']

async function testCrm(
  app: App,
  set: Set,
  name: string,
  refs: { readonly contact: readonly string[]; readonly company: readonly string[] },
): Promise<CrmTest> {
  const mapping = set.crms.get(name)
  const none = { crm: name, records: [], calls: [] }
  if (!mapping) return { ...none, problem: `${name}.yaml is missing in the mapping folder` }
  const { connect, variables } = knownCrm(app, name)
  if (!connect) return { ...none, problem: `${name} is not connected; set ${variables}` }
  const crm = openCrm(app, name, mapping)
  const { signal } = new AbortController()
  const { records } = await previewSync(app.context, crm, set, { refs }, signal)
  return { crm: name, problem: null, records, calls: await callsOf(app, name, records) }
}

const CALLS: Partial<Record<RecordPreview['step'], string>> = {
  create: 'create',
  update: 'update',
  archive: 'put away',
}

async function callsOf(
  { context: { db } }: App,
  crm: string,
  records: Preview['records'],
): Promise<PlannedCall[]> {
  const writes = records.flatMap(({ object, name, step, fields }): PlannedCall[] => {
    const call = CALLS[step]
    return call === undefined
      ? []
      : [{ call: `${call} ${object}`, about: name, values: fields.length }]
  })
  const [contact, company] = ['contact', 'company'].map((object) =>
    records.find((one) => one.object === object && isThere(one)),
  )
  if (!contact || !company) return writes
  const row = (await recordsOf(db, crm, [contact.ref])).get(contact.ref)
  if (row?.companyLinked != null && row.companyLinked === company.crmId) return writes
  const about = `${contact.name} with ${company.name}`
  return [...writes, { call: 'associate contact and company', about, values: 0 }]
}

const isThere = ({ crmId, step }: RecordPreview): boolean => crmId !== null || step === 'create'
