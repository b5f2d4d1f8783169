import { z } from 'zod'
import { ConfigError } from '../../../core/errors.ts'
import { CRM_MAPPING_SCHEMAS } from '../../../core/mapping/crm-mapping.ts'
import { identityMappingSchema } from '../../../core/mapping/identity-mapping.ts'
import { modelSchema } from '../../../core/mapping/model.ts'
import { playbookSchema } from '../../../core/mapping/playbook.ts'
import { sourceMappingSchema } from '../../../core/mapping/source-mapping.ts'
import { traitsMappingSchema } from '../../../core/mapping/traits-mapping.ts'
import { usageMappingSchema } from '../../../core/mapping/usage-mapping.ts'
import { printJson } from '../with-app.ts'

const SCHEMAS = {
  usage: usageMappingSchema,
  identity: identityMappingSchema,
  model: modelSchema,
  ...CRM_MAPPING_SCHEMAS,
  source: sourceMappingSchema,
  traits: traitsMappingSchema,
  playbook: playbookSchema,
} as const

/** `ripen schema`: the JSON Schema of a mapping file, for editors. */
export function schemaCommand(file: string): void {
  const known = Object.keys(SCHEMAS)
  if (!known.includes(file)) {
    throw new ConfigError(`${file} is no kind of mapping file; take one of ${known.join(', ')}`)
  }
  const schema = SCHEMAS[file as keyof typeof SCHEMAS]
  // What stands in the file, before durations become numbers.
  printJson(z.toJSONSchema(schema, { io: 'input', unrepresentable: 'any' }))
}
