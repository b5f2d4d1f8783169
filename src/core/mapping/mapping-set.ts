import { ConfigError } from '../errors.ts'
import { type CrmMapping, crmMappingSchema } from './crm-mapping.ts'
import { type Model, modelSchema } from './model.ts'
import { type FileProblem, parseYaml, problemsError } from './parse-yaml.ts'
import { type UsageMapping, usageMappingSchema } from './usage-mapping.ts'

/** Everything RevOps edits, read and checked together. */
export interface MappingSet {
  readonly usage: UsageMapping
  /** By model id. */
  readonly models: ReadonlyMap<string, Model>
  /** By CRM name. */
  readonly crms: ReadonlyMap<string, CrmMapping>
}

/** The files of a mapping folder: path relative to it, with `/`, and text. */
export type MappingFiles = Readonly<Record<string, string>>

/**
 * Reads a whole mapping folder.
 * @throws {ConfigError} that lists every problem of the first kind found: syntax and fields by file,
 * then names that one file uses and another lacks.
 */
export function parseMappingSet(files: MappingFiles): MappingSet {
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
  const usage = read(() => parseYaml(usageText, 'usage.yaml', usageMappingSchema))
  const models = new Map<string, Model>()
  const crms = new Map<string, CrmMapping>()
  for (const [file, text] of Object.entries(files)) {
    if (/^models\/[^/]+\.yaml$/.test(file)) {
      const model = read(() => parseYaml(text, file, modelSchema))
      if (model && models.has(model.id))
        problems.push(`${file}: model id ${model.id} is used twice`)
      if (model) models.set(model.id, model)
    } else if (file === 'hubspot.yaml') {
      const mapping = read(() => parseYaml(text, file, crmMappingSchema))
      if (mapping) crms.set('hubspot', mapping)
    }
  }
  if (problems.length > 0 || usage === null) throw new ConfigError(problems.join('\n'))
  const set = { usage, models, crms }
  const crossed = crossCheck(set)
  if (crossed.length > 0) throw problemsError(crossed)
  return set
}

function crossCheck(set: MappingSet): FileProblem[] {
  const problems: FileProblem[] = []
  const say = (file: string, path: string, message: string) =>
    problems.push({ file, line: 0, column: 0, path, message })
  for (const model of set.models.values()) {
    const people = model['people-model']
    if (people !== undefined && set.models.get(people)?.subject !== 'person') {
      const known = [...set.models].filter(([, m]) => m.subject === 'person')
      say(`model ${model.id}`, 'people-model', unknown(people, Object.fromEntries(known)))
    }
    model.signals.forEach((signal, index) => {
      const path = `signals.${index}`
      if ('action' in signal && !(signal.action in set.usage.actions)) {
        say(`model ${model.id}`, `${path}.action`, unknown(signal.action, set.usage.actions))
      }
      if ('trait' in signal && !isKnownTrait(signal.trait, set.usage)) {
        say(`model ${model.id}`, `${path}.trait`, unknown(signal.trait, set.usage.traits))
      }
    })
  }
  for (const [crm, mapping] of set.crms) {
    for (const [object, rules] of Object.entries(mapping.objects)) {
      if (!rules) continue
      const model = set.models.get(rules.model)
      const path = `objects.${object}.model`
      if (!model) say(`${crm}.yaml`, path, unknown(rules.model, Object.fromEntries(set.models)))
      else if (model.subject !== rules.subject) {
        say(`${crm}.yaml`, path, `scores ${model.subject}s, but a ${object} is a ${rules.subject}`)
      }
    }
  }
  return problems
}

/** `email_kind` (business, free, disposable, none) is always there. */
function isKnownTrait(trait: string, usage: UsageMapping): boolean {
  return trait === 'email_kind' || trait in usage.traits
}

function unknown(name: string, known: Readonly<Record<string, unknown>>): string {
  return `${name} is not declared; known are ${Object.keys(known).sort().join(', ') || 'none'}`
}
