import { DEAL_TRAITS } from '../scoring/deal-facts.ts'
import type { CrmMapping, ObjectMapping, PropertyMapping } from './crm-mapping.ts'
import { traitOf } from './field-policy.ts'
import type { FileProblem, ParsedFile } from './parse-yaml.ts'
import type { Playbook } from './playbook.ts'
import { readPlaces } from './read-places.ts'
import type { TraitsMapping } from './traits-mapping.ts'
import type { UsageMapping } from './usage-mapping.ts'

/**
 * Always there: `email_kind` of people (business, free, disposable or none), and what deals and done tasks
 * tell of whoever has some.
 */
export const KNOWN_TRAITS: readonly string[] = [
  'email_kind',
  ...DEAL_TRAITS,
  'task_done_at',
  'task_done_by',
]

/** The files that declare traits. */
export interface TraitSources {
  readonly usage: ParsedFile<UsageMapping>
  readonly crms: ReadonlyMap<string, ParsedFile<CrmMapping>>
  /** Null without the file. */
  readonly traits: ParsedFile<TraitsMapping> | null
  readonly playbooks: ReadonlyMap<string, ParsedFile<Playbook>>
}

/** One place that declares a trait. */
interface Declaration {
  readonly name: string
  readonly file: ParsedFile<unknown>
  readonly path: readonly PropertyKey[]
  /** How another declaration speaks of this one. */
  readonly where: string
  /** Declarations of one group may share a name: CRMs, with their contacts and companies. */
  readonly group: string
}

/** Names of all traits that models may read, whatever says them. */
export function declaredTraits(sources: TraitSources): string[] {
  return [...new Set([...KNOWN_TRAITS, ...declarations(sources).map(({ name }) => name)])]
}

/** What is wrong with where traits come from: names declared twice, and what Ripen itself writes. */
export function checkTraits(sources: TraitSources): FileProblem[] {
  return [
    ...checkTwice(sources),
    ...checkWritten(sources),
    ...[...sources.crms.values()].flatMap(checkReads),
  ]
}

function declarations({ usage, crms, traits, playbooks }: TraitSources): Declaration[] {
  const ofUsage = Object.keys(usage.data.traits).map((name) => {
    return { name, file: usage, path: ['traits', name], where: 'usage.yaml', group: 'usage' }
  })
  const ofCrms = [...crms].flatMap(([crm, file]) =>
    Object.entries(file.data.objects).flatMap(([object, rules]) => {
      const at = { file, where: `${crm}.yaml`, group: 'crm' }
      const reads = Object.keys(rules?.read ?? {}).map((name) => {
        return { name, path: ['objects', object, 'read', name], ...at }
      })
      return [
        ...reads,
        ...pulledTraits(rules).map((one) => ({
          ...at,
          ...one,
          path: ['objects', object, ...one.path],
        })),
      ]
    }),
  )
  const ofFiles = Object.entries(traits?.data.files ?? {}).flatMap(([id, { traits: columns }]) =>
    Object.keys(columns).map((name) => {
      const path = ['files', id, 'traits', name]
      const where = `traits.yaml under ${id}`
      return { name, file: traits as ParsedFile<unknown>, path, where, group: `file ${id}` }
    }),
  )
  const ofPlaybooks = [...playbooks].flatMap(([id, file]) =>
    file.data.segments.flatMap(({ actions }, at) =>
      actions.flatMap((action, index) =>
        Object.keys('set' in action ? action.set : {}).map((name) => {
          const path = ['segments', at, 'actions', index, 'set', name]
          return { name, file, path, where: `the playbook ${id}`, group: 'playbooks' }
        }),
      ),
    ),
  )
  return [...ofUsage, ...ofCrms, ...ofFiles, ...ofPlaybooks]
}

/** What properties are filled with by people in the CRM. */
function pulledTraits(rules: ObjectMapping | undefined) {
  const declared: Readonly<Record<string, PropertyMapping>> = rules?.properties ?? {}
  return Object.entries(declared).flatMap(([property, p]) => {
    const name = traitOf(p)
    return name === null || p.policy !== 'pull'
      ? []
      : [{ name, path: ['properties', property, 'from'] }]
  })
}

/** A property that is written needs somebody who says what. */
function checkWritten(sources: TraitSources): FileProblem[] {
  const known = new Set(declaredTraits(sources))
  return [...sources.crms.values()].flatMap((file) =>
    Object.entries(file.data.objects).flatMap(([object, rules]) => {
      const declared: Readonly<Record<string, PropertyMapping>> = rules?.properties ?? {}
      return Object.entries(declared).flatMap(([property, p]) => {
        const name = traitOf(p)
        if (name === null || known.has(name)) return []
        const message = `no file declares the trait ${name}; known are ${[...known].sort().join(', ')}`
        return [file.problem(['objects', object, 'properties', property, 'from'], message)]
      })
    }),
  )
}

function checkTwice(sources: TraitSources): FileProblem[] {
  const first = new Map<string, Declaration>()
  return declarations(sources).flatMap((declaration) => {
    const { name, file, path, group } = declaration
    if (KNOWN_TRAITS.includes(name)) {
      return [file.problem(path, `${name} is always there; take another name`)]
    }
    const other = first.get(name)
    if (!other) first.set(name, declaration)
    if (!other || other.group === group) return []
    return [file.problem(path, `${name} is declared in ${other.where} too; rename one of them`)]
  })
}

/** What Ripen writes says only what Ripen thinks: a score that reads it would feed on itself. */
function checkReads(file: ParsedFile<CrmMapping>): FileProblem[] {
  return Object.entries(file.data.objects).flatMap(([object, rules]) => {
    if (!rules) return []
    const own = new Set([
      rules.key.property,
      ...Object.keys(rules.properties),
      ...Object.keys(rules['on-create']),
    ])
    return readPlaces(rules).flatMap(({ path, property }) => {
      if (!own.has(property)) return []
      const message = `${property} is written by Ripen itself and cannot be read; name a property that it does not write`
      return [file.problem(['objects', object, ...path], message)]
    })
  })
}
