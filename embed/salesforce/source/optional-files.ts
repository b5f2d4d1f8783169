import type { PackageFile } from './field-files.ts'
import { PACKAGE_FIELDS } from './fields.ts'
import { type Metadata, metadataXml } from './metadata-xml.ts'

/**
 * Carries every field of a converted lead to its namesake on the contact. A directory of its own: an
 * org's settings of this kind are one file, so an admin puts this into theirs.
 */
export function leadConvertFiles(): PackageFile[] {
  const settings: Metadata = {
    objectMapping: {
      inputObject: 'Lead',
      mappingFields: PACKAGE_FIELDS.Lead.map(({ name }) => ({
        inputField: name,
        outputField: name,
      })),
      outputObject: 'Contact',
    },
  }
  return [
    [
      'LeadConvertSettings/LeadConvertSettings.LeadConvertSetting-meta.xml',
      metadataXml('LeadConvertSettings', settings),
    ],
  ]
}

/** Objects whose changes are streamed; an org without an add-on has five in all. */
export const STREAMED = ['Lead', 'Contact', 'Account', 'Opportunity', 'Task'] as const

/** Change Data Capture for what Ripen reads back. */
export function changeDataCaptureFiles(): PackageFile[] {
  return STREAMED.map((object) => {
    const event = `${object}ChangeEvent`
    const member: Metadata = { eventChannel: 'ChangeEvents', selectedEntity: event }
    return [
      `platformEventChannelMembers/ChangeEvents_${event}.platformEventChannelMember-meta.xml`,
      metadataXml('PlatformEventChannelMember', member),
    ]
  })
}

/** A draft that an admin may finish and activate: something of the org's own when a lead becomes qualified. */
export function flowFiles(): PackageFile[] {
  const flow: Metadata = {
    apiVersion: '67.0',
    description:
      'Draft. Starts once when a lead becomes qualified. Replace the task by what your org does; tasks of Ripen are made by Ripen.',
    interviewLabel: 'Ripen lead qualified {!$Flow.CurrentDateTime}',
    label: 'Ripen lead qualified',
    processType: 'AutoLaunchedFlow',
    recordCreates: {
      name: 'Create_task',
      label: 'Create task',
      locationX: 176,
      locationY: 335,
      inputAssignments: [
        { field: 'Subject', value: { stringValue: 'Qualified by product usage' } },
        { field: 'WhoId', value: { elementReference: '$Record.Id' } },
        { field: 'OwnerId', value: { elementReference: '$Record.OwnerId' } },
        { field: 'Description', value: { elementReference: '$Record.PQL_Explanation__c' } },
      ],
      object: 'Task',
    },
    start: {
      locationX: 50,
      locationY: 0,
      connector: { targetReference: 'Create_task' },
      doesRequireRecordChangedToMeetCriteria: true,
      filterLogic: 'and',
      filters: [
        { field: 'PQL_Usage_Status__c', operator: 'EqualTo', value: { stringValue: 'qualified' } },
        { field: 'IsConverted', operator: 'EqualTo', value: { booleanValue: false } },
      ],
      object: 'Lead',
      recordTriggerType: 'CreateAndUpdate',
      triggerType: 'RecordAfterSave',
    },
    status: 'Draft',
  }
  return [['flows/Ripen_Lead_Qualified.flow-meta.xml', metadataXml('Flow', flow)]]
}
