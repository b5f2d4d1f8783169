import type { PackageFile } from './field-files.ts'
import { PACKAGE_FIELDS, type PackageObject } from './fields.ts'
import { type Metadata, metadataXml } from './metadata-xml.ts'

/** List views of who is qualified, and report types with every field of the package. */
export function viewFiles(): PackageFile[] {
  return [...listViews(), ...reportTypes()]
}

interface View {
  readonly object: Exclude<PackageObject, 'Activity'>
  readonly prefix: 'PQL' | 'PQA'
  readonly words: string
  /** Names of standard columns in list views, which are not the API names. */
  readonly standard: readonly string[]
}

const VIEWS: readonly View[] = [
  { object: 'Lead', prefix: 'PQL', words: 'leads', standard: ['FULL_NAME', 'LEAD.COMPANY'] },
  { object: 'Contact', prefix: 'PQL', words: 'contacts', standard: ['FULL_NAME', 'ACCOUNT.NAME'] },
  { object: 'Account', prefix: 'PQA', words: 'accounts', standard: ['ACCOUNT.NAME'] },
]

function listViews(): PackageFile[] {
  return VIEWS.map(({ object, prefix, words, standard }) => {
    const name = `${prefix}_Qualified_${object}s`
    const ours = ['Score', 'Reason_1', 'Trend', 'Last_Active', 'Disposition']
    const view: Metadata = {
      fullName: name,
      columns: [...standard, ...ours.map((field) => `${prefix}_${field}__c`)],
      filterScope: 'Everything',
      filters: { field: `${prefix}_Usage_Status__c`, operation: 'equals', value: 'qualified' },
      label: `${prefix}: qualified ${words}`,
    }
    return [`objects/${object}/listViews/${name}.listView-meta.xml`, metadataXml('ListView', view)]
  })
}

function reportTypes(): PackageFile[] {
  const leads: Metadata = {
    baseObject: 'Lead',
    category: 'leads',
    deployed: true,
    description: 'Leads with what Ripen says of them',
    label: 'Leads with PQL',
    sections: [
      section('Lead', 'Lead', [
        'FirstName',
        'LastName',
        'Company',
        'Email',
        'Status',
        'IsConverted',
        'CreatedDate',
      ]),
    ],
  }
  const accounts: Metadata = {
    baseObject: 'Account',
    category: 'accounts',
    deployed: true,
    description: 'Accounts and their contacts with what Ripen says of them',
    join: { outerJoin: true, relationship: 'Contacts' },
    label: 'Accounts with PQA and contacts with PQL',
    sections: [
      section('Account', 'Account', [
        'Name',
        'Website',
        'Industry',
        'NumberOfEmployees',
        'CreatedDate',
      ]),
      section('Contact', 'Account.Contacts', [
        'FirstName',
        'LastName',
        'Email',
        'Title',
        'CreatedDate',
      ]),
    ],
  }
  return [
    ['reportTypes/Ripen_Leads.reportType-meta.xml', metadataXml('ReportType', leads)],
    ['reportTypes/Ripen_Accounts.reportType-meta.xml', metadataXml('ReportType', accounts)],
  ]
}

function section(object: PackageObject, table: string, standard: readonly string[]): Metadata {
  const ours = PACKAGE_FIELDS[object].map(({ name }) => name)
  const shown = /_(Score|Usage_Status|Sales_Status|Qualified_At)__c$/
  return {
    columns: [...standard, ...ours].map((field) => ({
      checkedByDefault: shown.test(field) || /Name$/.test(field),
      field,
      table,
    })),
    masterLabel: object,
  }
}
