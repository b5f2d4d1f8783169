import { type FieldKind, PACKAGE_FIELDS } from '../../embed/salesforce/source/fields.ts'
import type { FieldChange } from '../salesforce/define-field.ts'
import type { SalesforceSandbox } from '../salesforce/salesforce-sandbox.ts'

/** The fields of the package that Ripen ships, as an admin deploys them. */
export function installPackage(sandbox: SalesforceSandbox): void {
  for (const [object, fields] of Object.entries(PACKAGE_FIELDS)) {
    for (const { name, label, kind } of fields) {
      sandbox.defineField(object, { name, label, ...ofKind(kind) })
    }
  }
}

function ofKind(kind: FieldKind): Omit<FieldChange, 'name'> {
  switch (kind.type) {
    case 'Text':
      return { type: 'string', length: kind.length }
    case 'Key':
      return { type: 'string', length: kind.length, externalId: true, unique: true }
    case 'LongTextArea':
      return { type: 'textarea', length: kind.length }
    case 'Number':
      return { type: 'double', precision: kind.digits, scale: 0 }
    case 'DateTime':
      return { type: 'datetime' }
    case 'Picklist':
      return { type: 'picklist', values: kind.values.map(([value]) => value), restricted: true }
  }
}
