import { z } from 'zod'
import { CRM_MAPPING_SCHEMAS } from './crm-mapping.ts'
import { identityMappingSchema } from './identity-mapping.ts'
import { modelSchema } from './model.ts'
import { playbookSchema } from './playbook.ts'
import { sourceMappingSchema } from './source-mapping.ts'
import { traitsMappingSchema } from './traits-mapping.ts'
import { usageMappingSchema } from './usage-mapping.ts'

/** One kind of file that RevOps edits. */
export interface FileKind {
  readonly name: string
  /** Which files of a mapping folder are of it: their paths, `*` for any name. */
  readonly files: readonly string[]
  readonly title: string
  readonly schema: z.ZodType
}

/** Every kind of file of a mapping folder. A new one is one line here. */
export const FILE_KINDS: readonly FileKind[] = [
  kind('usage', ['usage.yaml'], 'The tracking plan', usageMappingSchema),
  kind('identity', ['identity.yaml'], 'Who is who', identityMappingSchema),
  kind('traits', ['traits.yaml'], 'Files of traits', traitsMappingSchema),
  kind('model', ['models/*.yaml', 'presets/*.yaml'], 'A scoring model', modelSchema),
  kind('hubspot', ['hubspot.yaml'], 'What HubSpot says', CRM_MAPPING_SCHEMAS.hubspot),
  kind('salesforce', ['salesforce.yaml'], 'What Salesforce says', CRM_MAPPING_SCHEMAS.salesforce),
  kind('playbook', ['playbooks/*.yaml'], 'What happens when a score changes', playbookSchema),
  kind('source', ['sources/*.yaml'], 'A source of files of events', sourceMappingSchema),
]

function kind(name: string, files: readonly string[], title: string, schema: z.ZodType): FileKind {
  return { name, files, title, schema }
}

/** The kind of a file of a mapping folder, by its path; null when it is of none. */
export function kindOf(file: string): FileKind | null {
  const [folder, ...rest] = file.split('/').reverse().slice(1)
  const anyName = rest.length === 0 && folder !== undefined ? `${folder}/*.yaml` : file
  return FILE_KINDS.find(({ files }) => files.includes(anyName)) ?? null
}

export type JsonSchema = Readonly<Record<string, unknown>>

/**
 * The JSON Schema (draft 2020-12) of a kind of file, made of the schema that reads it. It holds what can be
 * said of one file without arithmetic; names that other files declare are for `ripen check`.
 */
export function jsonSchemaOf({ name, files, title, schema }: FileKind): JsonSchema {
  // What stands in the file, before durations become numbers.
  const { $schema, ...rest } = z.toJSONSchema(schema, { io: 'input', unrepresentable: 'any' })
  const description = `${files.join(' and ')} of a mapping folder`
  return { $schema, $id: `urn:ripen:schema:${name}`, title, description, ...rest }
}
