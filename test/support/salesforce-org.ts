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
