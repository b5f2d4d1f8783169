import type { z } from 'zod'
import { SHORT_PLAYBOOK } from '../playbook/playbooks-of.ts'
import { templateProblems } from '../playbook/task-story.ts'
import { CRM_MAPPING_SCHEMAS, type CrmMapping } from './crm-mapping.ts'
import { checkTraits, declaredTraits } from './declared-traits.ts'
import {
  type IdentityMapping,
  identityMappingSchema,
  NO_IDENTITY_MAPPING,
} from './identity-mapping.ts'
import { type Model, modelSchema } from './model.ts'
import { modelNameFaults, noModel } from './model-names.ts'
import {
  type FileProblem,
  fileProblem,
  MappingError,
  openYaml,
  type ParsedFile,
  problemsError,
} from './parse-yaml.ts'
import { type Playbook, playbookSchema } from './playbook.ts'
import { checkPlaybook } from './playbook-checks.ts'
import { type SourceMapping, sourceMappingSchema, sourceNameProblem } from './source-mapping.ts'
import { NO_TRAITS_MAPPING, type TraitsMapping, traitsMappingSchema } from './traits-mapping.ts'
import { type UsageMapping, usageMappingSchema } from './usage-mapping.ts'

/** Everything RevOps edits, read and checked together. */
export interface MappingSet {
  readonly usage: UsageMapping
  readonly identity: IdentityMapping
  /** By model id. */
  readonly models: ReadonlyMap<string, Model>
  /** By CRM name. */
  readonly crms: ReadonlyMap<string, CrmMapping>
  /** Declared sources of files, by name. */
  readonly sources: ReadonlyMap<string, SourceMapping>
  /** Files of traits. */
  readonly traits: TraitsMapping
  /** Those of the folder, enabled or not, by id; see `playbooksOf`. */
  readonly playbooks: ReadonlyMap<string, Playbook>
}

/** The files of a mapping folder: path relative to it, with `/`, and text. */
export type MappingFiles = Readonly<Record<string, string>>

/** The same, with what is needed to say where something is wrong. */
interface OpenFiles {
  /** What cannot be read is left out of the rest. */
  readonly problems: readonly FileProblem[]
  /** Null when it cannot be read. */
  readonly usage: ParsedFile<UsageMapping> | null
  /** Null without the file. */
  readonly identity: ParsedFile<IdentityMapping> | null
  readonly models: ReadonlyMap<string, ParsedFile<Model>>
  /** Models that are checked and not run. */
  readonly presets: readonly ParsedFile<Model>[]
  readonly crms: ReadonlyMap<string, ParsedFile<CrmMapping>>
  readonly sources: ReadonlyMap<string, ParsedFile<SourceMapping>>
  /** Null without the file. */
  readonly traits: ParsedFile<TraitsMapping> | null
  readonly playbooks: ReadonlyMap<string, ParsedFile<Playbook>>
}

/**
 * Reads a whole mapping folder.
 * @throws {MappingError} with everything that `mappingProblems` finds.
 */
export function parseMappingSet(files: MappingFiles): MappingSet {
  const open = openFiles(files)
  const problems = problemsOf(open)
  if (problems.length > 0 || open.usage === null) throw problemsError(problems)
  return {
    usage: open.usage.data,
    identity: open.identity?.data ?? NO_IDENTITY_MAPPING,
    models: dataOf(open.models),
    crms: dataOf(open.crms),
    sources: dataOf(open.sources),
    traits: open.traits?.data ?? NO_TRAITS_MAPPING,
    playbooks: dataOf(open.playbooks),
  }
}

/**
 * Everything that is wrong with a mapping folder: syntax and fields, then names that one file uses and
 * another lacks, as far as the files that declare them can be read.
 */
export function mappingProblems(files: MappingFiles): readonly FileProblem[] {
  return problemsOf(openFiles(files))
}

function problemsOf(open: OpenFiles): readonly FileProblem[] {
  const broken = new Set(open.problems.map(({ file }) => file))
  const areModelsWhole = inFolder('models', [...broken]).length === 0
  const declares = KNOWN_FILES.every((file) => !broken.has(file))
  return [
    ...open.problems,
    ...(declares ? checkModels(open, areModelsWhole) : []),
    ...(areModelsWhole ? checkCrms(open) : []),
    ...checkTasks(open),
    ...(declares && areModelsWhole ? checkPlaybooks(open) : []),
    ...checkAliases(open),
    ...(open.usage ? checkTraits({ ...open, usage: open.usage }) : []),
  ]
}

function dataOf<T>(parsed: ReadonlyMap<string, ParsedFile<T>>): Map<string, T> {
  return new Map([...parsed].map(([id, file]) => [id, file.data]))
}

/** Reads one file, and notes what is wrong with it. */
type Read = <S extends z.ZodType>(file: string, schema: S) => ParsedFile<z.output<S>> | null

function openFiles(files: MappingFiles): OpenFiles {
  const problems: FileProblem[] = []
  const read: Read = (file, schema) => {
    const text = files[file]
    if (text === undefined) return null
    try {
      return openYaml(text, file, schema)
    } catch (error) {
      if (!(error instanceof MappingError)) throw error
      problems.push(...error.problems)
      return null
    }
  }
  const names = Object.keys(files)
  if (!names.includes('usage.yaml')) {
    problems.push(fileProblem('usage.yaml', 'missing in the mapping folder'))
  }
  const usage = read('usage.yaml', usageMappingSchema)
  const identity = read('identity.yaml', identityMappingSchema)
  const traits = read('traits.yaml', traitsMappingSchema)
  const crms = new Map<string, ParsedFile<CrmMapping>>()
  for (const [crm, schema] of Object.entries(CRM_MAPPING_SCHEMAS)) {
    const file = read(`${crm}.yaml`, schema)
    if (file) crms.set(crm, file)
  }
  const models = openById('models', names, (file) => read(file, modelSchema), problems)
  const presets = inFolder('presets', names).flatMap((file) => read(file, modelSchema) ?? [])
  const sources = openSources(names, read, problems)
  const playbooks = openById('playbooks', names, (file) => read(file, playbookSchema), problems)
  for (const file of names) {
    if (KNOWN_FILES.includes(file) || FOLDERS.some((f) => inFolder(f, [file]).length > 0)) continue
    const known = [...KNOWN_FILES, ...FOLDERS.map((folder) => `${folder}/*.yaml`)].join(', ')
    problems.push(fileProblem(file, `nobody reads a file of this name; known are ${known}`))
  }
  return { problems, usage, identity, models, presets, crms, sources, traits, playbooks }
}

const KNOWN_FILES: readonly string[] = [
  'usage.yaml',
  'identity.yaml',
  'traits.yaml',
  ...Object.keys(CRM_MAPPING_SCHEMAS).map((crm) => `${crm}.yaml`),
]
const FOLDERS = ['models', 'presets', 'sources', 'playbooks']

const inFolder = (folder: string, files: readonly string[]): string[] =>
  files.filter((file) => {
    const [first, ...rest] = file.split('/')
    return first === folder && rest.length === 1 && file.endsWith('.yaml')
  })

/** Files of one folder by the id that each gives itself. */
function openById<T extends { readonly id: string }>(
  folder: string,
  files: readonly string[],
  read: (file: string) => ParsedFile<T> | null,
  problems: FileProblem[],
): ReadonlyMap<string, ParsedFile<T>> {
  const found = new Map<string, ParsedFile<T>>()
  const fileOf = new Map<string, string>()
  for (const file of inFolder(folder, files)) {
    const one = read(file)
    if (!one) continue
    const { id } = one.data
    const other = fileOf.get(id)
    if (other !== undefined) {
      const message = `${id} is the id of ${other} too; give each ${folder.slice(0, -1)} its own`
      problems.push(one.problem(['id'], message))
    }
    found.set(id, one)
    fileOf.set(id, file)
  }
  return found
}

function openSources(files: readonly string[], read: Read, problems: FileProblem[]) {
  const sources = new Map<string, ParsedFile<SourceMapping>>()
  for (const file of inFolder('sources', files)) {
    const name = file.slice('sources/'.length, -'.yaml'.length)
    const wrong = sourceNameProblem(name)
    if (wrong !== null) problems.push(fileProblem(file, wrong))
    const source = read(file, sourceMappingSchema)
    if (source) sources.set(name, source)
  }
  return sources
}

function checkModels(open: OpenFiles, areModelsWhole: boolean): FileProblem[] {
  const { usage, models, presets } = open
  if (usage === null) return []
  const known = {
    actions: usage.data.actions,
    traits: declaredTraits({ ...open, usage }),
    // Perhaps the one that is named is the one that cannot be read.
    models: areModelsWhole ? dataOf(models) : null,
  }
  const faultsOf = (file: ParsedFile<Model>, mend: string) =>
    modelNameFaults(file.data, known).map(({ path, message }) =>
      file.problem(path, `${message}${mend}`),
    )
  return [
    ...[...models.values()].flatMap((file) => faultsOf(file, '')),
    ...presets.flatMap((file) => faultsOf(file, '; a preset is not run, so you may remove it')),
  ]
}

/** A domain has one name that all others lead to. */
function checkAliases({ identity }: OpenFiles): FileProblem[] {
  const aliases = identity?.data['domain-aliases'] ?? {}
  return Object.entries(aliases).flatMap(([from, to]) => {
    const last = aliases[to]
    if (!identity || last === undefined) return []
    const message = `${to} is another name itself; name the one that is meant in the end`
    return [identity.problem(['domain-aliases', from], message)]
  })
}

function checkTasks({ crms }: OpenFiles): FileProblem[] {
  return [...crms.values()].flatMap((file) =>
    (file.data.tasks ? templateProblems(file.data.tasks) : []).map(({ template, message }) =>
      file.problem(['tasks', template], message),
    ),
  )
}

function checkPlaybooks(open: OpenFiles): FileProblem[] {
  const { usage } = open
  if (usage === null) return []
  const known = {
    crms: dataOf(open.crms),
    models: dataOf(open.models),
    actions: usage.data.actions,
    traits: declaredTraits({ ...open, usage }),
  }
  return [...open.playbooks.values()].flatMap((file) => {
    const { id, crm } = file.data
    const isTaken = id === SHORT_PLAYBOOK && known.crms.get(crm)?.tasks !== undefined
    const message = `${id} is what tasks: of ${crm}.yaml stands for; remove that, or take another id`
    return [...(isTaken ? [file.problem(['id'], message)] : []), ...checkPlaybook(file, known)]
  })
}

function checkCrms({ models, crms }: OpenFiles): FileProblem[] {
  return [...crms.values()].flatMap((file) =>
    Object.entries(file.data.objects).flatMap(([object, rules]) => {
      const known = [...models.values()].map(({ data }) => data)
      return (rules?.model ?? []).flatMap((id, index) => {
        if (known.some((m) => m.id === id && m.subject === rules?.subject)) return []
        const path = [
          'objects',
          object,
          'model',
          ...(rules && rules.model.length > 1 ? [index] : []),
        ]
        return [file.problem(path, noModel(id, rules?.subject ?? 'person', known))]
      })
    }),
  )
}
