import { ConfigError } from '../../../core/errors.ts'
import { parseMappingSet } from '../../../core/mapping/mapping-set.ts'
import { readEffective } from '../../../infra/mappings/published.ts'
import type { App } from '../../compose.ts'
import { findPerson } from '../../explanation.ts'
import {
  type Draft,
  draftOf,
  type Preview,
  type PreviewChoice,
  previewSync,
} from '../../preview.ts'
import { openCrm } from '../crm-of.ts'
import { describeRecords, describeTotals } from '../preview-text.ts'
import { createProgressFeed } from '../progress.ts'
import { type CommonOptions, print, printJson, readFolder, withApp } from '../with-app.ts'

interface DiffOptions extends CommonOptions {
  readonly crm: string
  readonly sample?: string
  readonly person?: string
}

/** What `ripen diff` tells. */
export interface DiffResult extends Preview {
  readonly crm: string
  /** The folder of a draft; null for what is published. */
  readonly draft: string | null
  readonly notes: readonly string[]
}

/** `ripen diff`: what a sync would write, old and new. Writes nothing, neither to the CRM nor to the database. */
export async function diffCommand(options: DiffOptions): Promise<void> {
  const sample = sampleOf(options.sample)
  const feed = createProgressFeed()
  const given = { ...options, publish: false, onProgress: feed.onProgress }
  const result = await withApp(given, async (app) => {
    const choice = {
      ...(sample === null ? {} : { sample }),
      ...(await refsOf(app, options.person)),
    }
    return diff(app, options, choice)
  })
  if (options.json) return printJson(result)
  print(describe(result))
}

async function diff(
  app: App,
  { crm: name, mappings }: DiffOptions,
  choice: PreviewChoice,
): Promise<DiffResult> {
  const { set: published } = await readEffective(app.context.db)
  const folder = mappings === undefined ? null : await readFolder(app, mappings)
  const draft: Draft = folder
    ? draftOf(parseMappingSet(folder.files), published)
    : { set: published, isScored: false, notes: [] }
  const mapping = draft.set.crms.get(name)
  if (!mapping) throw new ConfigError(`${name}.yaml is missing in the mapping folder`)
  const crm = openCrm(app, name, mapping)
  const preview = await previewSync(
    app.context,
    crm,
    draft.set,
    choice,
    new AbortController().signal,
    draft.isScored,
  )
  return { crm: name, draft: folder?.absolute ?? null, notes: draft.notes, ...preview }
}

/** @throws {ConfigError} when nobody has this address. */
async function refsOf(
  { context }: App,
  person: string | undefined,
): Promise<Pick<PreviewChoice, 'refs'>> {
  if (person === undefined) return {}
  const found = await findPerson(context.db, person)
  if (!found)
    throw new ConfigError(
      `${person} is nobody's e-mail address here; ripen status says what was pulled`,
    )
  return { refs: { contact: [found.id], company: found.account_id ? [found.account_id] : [] } }
}

function sampleOf(text: string | undefined): number | null {
  if (text === undefined) return null
  if (/^[1-9]\d{0,6}$/.test(text)) return Number(text)
  throw new ConfigError(`--sample ${text} is no number of records; write one such as 20`)
}

function describe(result: DiffResult): string {
  const { crm, draft, notes, records } = result
  const from =
    draft === null ? 'what is published' : `the files in ${draft}, which are not published`
  const body = describeRecords(records)
  return [
    `${crm}, by ${from}`,
    ...notes.map((note) => `! ${note}`),
    ...(body.length > 0 ? ['', ...body] : []),
    '',
    ...describeTotals(result),
    'Nothing was written.',
  ].join('\n')
}
