import { createRequire } from 'node:module'

/** The part of avro-js that is used here; the package has no types of its own. */
export interface AvroType {
  toBuffer(value: unknown): Buffer
  fromBuffer(bytes: Buffer): unknown
}

interface AvroSchemas {
  createType(schema: unknown): AvroType
}

// The package's own entry also loads a validator of old whose dependency it does not bring.
const schemas = createRequire(import.meta.url)('avro-js/lib/schemas.js') as AvroSchemas

/** Reads an Avro schema. */
export function avroType(schema: unknown): AvroType {
  return schemas.createType(schema)
}
