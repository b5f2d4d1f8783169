import { createRequire } from 'node:module'

/** The part of avro-js that is used here; the package has no types of its own. */
export interface AvroType {
  createResolver(writer: AvroType): unknown
  fromBuffer(bytes: Buffer, resolver: unknown): unknown
}

interface AvroSchemas {
  createType(schema: unknown): AvroType
}

// The package's own entry also loads a validator of old, which needs a package that it does not bring.
const { createType } = createRequire(import.meta.url)('avro-js/lib/schemas.js') as AvroSchemas

/** @throws {Error} when it is no schema. */
export function avroType(schema: unknown): AvroType {
  return createType(schema)
}
