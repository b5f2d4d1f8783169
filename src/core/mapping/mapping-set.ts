import { ConfigError } from '../errors.ts'
import { templateProblems } from '../playbook/task-story.ts'
import { type CrmMapping, crmMappingSchema } from './crm-mapping.ts'
import { declaredTraits } from './declared-traits.ts'
import {
  type IdentityMapping,
  identityMappingSchema,
  NO_IDENTITY_MAPPING,
} from './identity-mapping.ts'
import { type Model, modelSchema } from './model.ts'
import { modelNameFaults, noModel } from './model-names.ts'
import { type FileProblem, openYaml, type ParsedFile, problemsError } from './parse-yaml.ts'
import { type SourceMapping, sourceMappingSchema, sourceNameProblem } from './source-mapping.ts'
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
}

/** The files of a mapping folder: path relative to it, with `/`, and text. */
export type MappingFiles = Readonly<Record<string, string>>

/** The same, with what is needed to say where something is wrong. */
interface OpenFiles {
  readonly usage: ParsedFile<UsageMapping>
  /** Null without the file. */
  readonly identity: ParsedFile<IdentityMapping> | null
  readonly models: ReadonlyMap<string, ParsedFile<Model>>
  /** Models that are checked and not run. */
  readonly presets: readonly ParsedFile<Model>[]
  readonly crms: ReadonlyMap<string, ParsedFile<CrmMapping>>
  readonly sources: ReadonlyMap<string, ParsedFile<SourceMapping>>
}

/**
 * Reads a whole mapping folder.
 * @throws {ConfigError} that lists every problem of the first kind found: syntax and fields by file,
 * then names that one file uses and another lacks. Each names file, line and column.
 */
export function parseMappingSet(files: MappingFiles): MappingSet {
  const open = openFiles(files)
  const crossed = [
    ...checkModels(open),
    ...checkCrms(open),
    ...checkTasks(open),
    ...checkAliases(open),
  ]
  if (crossed.length > 0) throw problemsError(crossed)
  return {
    usage: open.usage.data,
    identity: open.identity?.data ?? NO_IDENTITY_MAPPING,
    models: dataOf(open.models),
    crms: dataOf(open.crms),
    sources: dataOf(open.sources),
  }
}

function dataOf<T>(parsed: ReadonlyMap<string, ParsedFile<T>>): Map<string, T> {
  return new Map([...parsed].map(([id, file]) => [id, file.data]))
}

function openFiles(files: MappingFiles): OpenFiles {
  const problems: string[] = []
  const read = <T>(parse: () => T): T | null => {
    try {
      return parse()
    } catch (error) {
      if (!(error instanceof ConfigError)) throw error
      problems.push(error.message)
      return null
    }
  }
  const usageText = files['usage.yaml']
  if (usageText === undefined) throw new ConfigError('usage.yaml is missing in the mapping folder')
  const usage = read(() => openYaml(usageText, 'usage.yaml', usageMappingSchema))
  const identityText = files['identity.yaml']
  const identity =
    identityText === undefined
      ? null
      : read(() => openYaml(identityText, 'identity.yaml', identityMappingSchema))
  const models = new Map<string, ParsedFile<Model>>()
  const fileOf = new Map<string, string>()
  const presets: ParsedFile<Model>[] = []
  const crms = new Map<string, ParsedFile<CrmMapping>>()
  const sources = new Map<string, ParsedFile<SourceMapping>>()
  for (const [file, text] of Object.entries(files)) {
    if (/^models\/[^/]+\.yaml$/.test(file)) {
      const model = read(() => openYaml(text, file, modelSchema))
      if (!model) continue
      const { id } = model.data
      const other = fileOf.get(id)
      if (other !== undefined) {
        const message = `${id} is the id of ${other} too; give each model its own`
        problems.push(problemsError([model.problem(['id'], message)]).message)
      }
      models.set(id, model)
      fileOf.set(id, file)
    } else if (/^presets\/[^/]+\.yaml$/.test(file)) {
      const preset = read(() => openYaml(text, file, modelSchema))
      if (preset) presets.push(preset)
    } else if (/^sources\/[^/]+\.yaml$/.test(file)) {
      const name = file.slice('sources/'.length, -'.yaml'.length)
      const wrong = sourceNameProblem(name)
      if (wrong !== null) problems.push(`${file}: ${wrong}`)
      const source = read(() => openYaml(text, file, sourceMappingSchema))
      if (source) sources.set(name, source)
    } else if (file === 'hubspot.yaml') {
      const mapping = read(() => openYaml(text, file, crmMappingSchema))
      if (mapping) crms.set('hubspot', mapping)
    } else if (file !== 'usage.yaml' && file !== 'identity.yaml') {
      problems.push(`${file}: nobody reads a file of this name; known are ${KNOWN_FILES}`)
    }
  }
  if (problems.length > 0 || usage === null) throw new ConfigError(problems.join('\n'))
  return { usage, identity, models, presets, crms, sources }
}

const KNOWN_FILES =
  'usage.yaml, identity.yaml, hubspot.yaml, models/*.yaml, presets/*.yaml and sources/*.yaml'

function checkModels({ usage, models, presets }: OpenFiles): FileProblem[] {
  const known = {
    actions: usage.data.actions,
    traits: declaredTraits(usage.data),
    models: dataOf(models),
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
