import { type FieldKind, PACKAGE_FIELDS } from '../../embed/salesforce/source/fields.ts'
import type { FieldChange } from '../../sandbox/salesforce/define-field.ts'
import type { SalesforceSandbox } from '../../sandbox/salesforce/salesforce-sandbox.ts'
import type { CrmObject, CrmProperty, ProvisionPlan } from '../../src/core/ports/crm.ts'

const PLACES: Readonly<Record<CrmObject, readonly string[]>> = {
  contact: ['Contact', 'Lead'],
  company: ['Account'],
}

/** Puts the fields of a plan into an org, as an admin does who deploys them. */
export function installFields(sandbox: SalesforceSandbox, plan: ProvisionPlan): void {
  for (const object of PLACES[plan.object]) {
    for (const property of plan.properties) sandbox.defineField(object, toField(property))
  }
}

/** A field that holds what the property holds. */
function toField({ name, label, type, unique, options }: CrmProperty): FieldChange {
  const values = options?.map(({ value }) => value) ?? []
  switch (type) {
    case 'number':
      return { name, label, type: 'double', precision: 18, scale: 4 }
    case 'bool':
      return { name, label, type: 'boolean' }
    case 'text':
      return { name, label, type: 'textarea', length: 32_768 }
    case 'enumeration':
      return { name, label, type: 'picklist', values, restricted: true }
    case 'multi-enumeration':
      return { name, label, type: 'multipicklist', values, restricted: true }
    case 'date':
    case 'datetime':
    case 'phone':
      return { name, label, type }
    case 'string':
      return unique
        ? { name, label, type, externalId: true, unique, caseSensitive: true }
        : { name, label, type }
  }
}

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
