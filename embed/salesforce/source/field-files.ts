import { type FieldKind, PACKAGE_FIELDS, type PackageField, type PackageObject } from './fields.ts'
import { type Metadata, metadataXml } from './metadata-xml.ts'

/** A path within a package directory and the text of the file. */
export type PackageFile = readonly [path: string, text: string]

/** One file for each custom field. */
export function fieldFiles(): PackageFile[] {
  return Object.entries(PACKAGE_FIELDS).flatMap(([object, fields]) =>
    fields.map(
      (field): PackageFile => [
        `objects/${object}/fields/${field.name}.field-meta.xml`,
        metadataXml('CustomField', fieldMetadata(object as PackageObject, field)),
      ],
    ),
  )
}

function fieldMetadata(object: PackageObject, field: PackageField): Metadata {
  const { name, label, help, kind } = field
  return {
    fullName: name,
    description: help,
    ...(object === 'Activity' ? {} : { inlineHelpText: help }),
    label,
    ...kindMetadata(kind),
  }
}

function kindMetadata(kind: FieldKind): Metadata {
  switch (kind.type) {
    case 'Text':
      return {
        externalId: false,
        length: kind.length,
        required: false,
        type: 'Text',
        unique: false,
      }
    case 'Key':
      // Upsert matches in upper and lower case alike unless the field says otherwise.
      return {
        caseSensitive: true,
        externalId: true,
        length: kind.length,
        required: false,
        type: 'Text',
        unique: true,
      }
    case 'LongTextArea':
      return { length: kind.length, type: 'LongTextArea', visibleLines: kind.visibleLines }
    case 'Number':
      return {
        externalId: false,
        precision: kind.digits,
        required: false,
        scale: 0,
        type: 'Number',
        unique: false,
      }
    case 'DateTime':
      return { required: false, type: 'DateTime' }
    case 'Picklist':
      return {
        required: false,
        type: 'Picklist',
        valueSet: {
          restricted: true,
          valueSetDefinition: {
            sorted: false,
            value: kind.values.map(([value, label]) => ({
              fullName: value,
              default: false,
              label,
            })),
          },
        },
      }
  }
}
