import type { Finding, FindingSubject } from '../ports/crm-check.ts'
import { CRM_MAPPING_SCHEMAS, type CrmMapping, type ObjectMapping } from './crm-mapping.ts'
import type { MappingFiles } from './mapping-set.ts'
import { type FileProblem, openYaml, type ParsedFile } from './parse-yaml.ts'
import { playbookSchema } from './playbook.ts'
import { readPlaces } from './read-places.ts'

/** Where in the files something is that a finding is about. */
export type FindingPlace = Pick<FileProblem, 'file' | 'line' | 'column' | 'path'>

/** A finding, and where in the mapping it is mended; null for one about the account. */
export type PlacedFinding = Finding & { readonly at: FindingPlace | null }

type Path = readonly PropertyKey[]

/** Looks up in the files of a folder, which are right, what the findings about a CRM are about. */
export function placeFindings(
  findings: readonly Finding[],
  crm: string,
  files: MappingFiles,
): PlacedFinding[] {
  const mapping = openMapping(crm, files)
  return findings.map((finding) => ({
    ...finding,
    at: finding.of && mapping ? placeOf(finding.of, mapping, files) : null,
  }))
}

function openMapping(crm: string, files: MappingFiles): ParsedFile<CrmMapping> | null {
  const file = `${crm}.yaml`
  const schema = CRM_MAPPING_SCHEMAS[crm as keyof typeof CRM_MAPPING_SCHEMAS]
  return schema && files[file] !== undefined ? openYaml(files[file], file, schema) : null
}

function placeOf(
  of: FindingSubject,
  mapping: ParsedFile<CrmMapping>,
  files: MappingFiles,
): FindingPlace | null {
  if ('target' in of) return targetPlace(of.target, files)
  const rules = mapping.data.objects[of.object]
  if (!rules) return null
  return at(mapping, ['objects', of.object, ...pathIn(rules, of)])
}

function at(file: ParsedFile<unknown>, path: Path): FindingPlace {
  const { message: _, ...place } = file.problem(path, '')
  return place
}

/** The value of a status, else whatever names the property: what is written, then what is read. */
function pathIn(
  rules: ObjectMapping,
  { property, value }: Exclude<FindingSubject, { target: string }>,
): Path {
  if (property === undefined) return []
  if (value !== undefined) {
    for (const [status, list = []] of Object.entries(rules['sales-status']?.values ?? {})) {
      const index = list.indexOf(value)
      if (index >= 0) return ['sales-status', 'values', status, index]
    }
  }
  if (Object.hasOwn(rules.properties, property)) return ['properties', property]
  if (rules.key.property === property) return ['key', 'property']
  const read = readPlaces(rules).find((place) => place.property === property)
  if (read) return read.path
  return Object.hasOwn(rules['on-create'], property) ? ['on-create', property] : []
}

function targetPlace(target: string, files: MappingFiles): FindingPlace | null {
  for (const [file, text] of Object.entries(files)) {
    if (!file.startsWith('playbooks/')) continue
    const playbook = openYaml(text, file, playbookSchema)
    for (const [segment, { actions }] of playbook.data.segments.entries()) {
      for (const [index, action] of actions.entries()) {
        for (const [name, value] of Object.entries(action)) {
          if (!['list', 'campaign', 'event'].includes(name) || value !== target) continue
          return at(playbook, ['segments', segment, 'actions', index, name])
        }
      }
    }
  }
  return null
}
