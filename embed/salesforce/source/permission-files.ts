import type { PackageFile } from './field-files.ts'
import { PACKAGE_FIELDS, type PackageField } from './fields.ts'
import { type Metadata, metadataXml } from './metadata-xml.ts'

/** Two permission sets: one for the user that Ripen logs in as, one for people. */
export function permissionFiles(): PackageFile[] {
  return [
    [
      'permissionsets/Ripen_Integration.permissionset-meta.xml',
      metadataXml('PermissionSet', INTEGRATION),
    ],
    ['permissionsets/Ripen_User.permissionset-meta.xml', metadataXml('PermissionSet', USER)],
  ]
}

/**
 * Field permissions of activities are granted on Task and Event, which share them.
 * Fields that are required would be refused here; the package has none.
 */
function fieldPermissions(isEditable: (field: PackageField) => boolean): Metadata[] {
  const grants = Object.entries(PACKAGE_FIELDS).flatMap(([object, fields]) => {
    const objects = object === 'Activity' ? ['Task', 'Event'] : [object]
    return objects.flatMap((name) =>
      fields.map((field) => ({
        editable: isEditable(field),
        field: `${name}.${field.name}`,
        readable: true,
      })),
    )
  })
  return grants.sort((a, b) => (a.field < b.field ? -1 : 1))
}

interface Access {
  readonly object: string
  readonly edit: boolean
}

/** Read all records, or people would be taken for missing and made twice; never delete, never modify all. */
function objectPermissions(access: readonly Access[]): Metadata[] {
  return access.map(({ object, edit }) => ({
    allowCreate: false,
    allowDelete: false,
    allowEdit: edit,
    allowRead: true,
    modifyAllRecords: false,
    object,
    viewAllRecords: true,
  }))
}

const INTEGRATION: Metadata = {
  description:
    'For the user that Ripen logs in as: reads people, accounts and opportunities, writes its own fields and tasks.',
  fieldPermissions: fieldPermissions(() => true),
  hasActivationRequired: false,
  label: 'Ripen Integration',
  objectPermissions: objectPermissions([
    { object: 'Account', edit: true },
    { object: 'Contact', edit: true },
    { object: 'Lead', edit: true },
    { object: 'Opportunity', edit: false },
  ]),
  userPermissions: ['ApiEnabled', 'EditTask'].map((name) => ({ enabled: true, name })),
}

const USER: Metadata = {
  description: 'For sales and marketing: reads what Ripen writes, and answers with a disposition.',
  fieldPermissions: fieldPermissions((field) => field.writer === 'rep'),
  hasActivationRequired: false,
  label: 'Ripen User',
}
