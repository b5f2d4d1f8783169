import { AssociationTypes } from '@hubspot/api-client'
import { AssociationSpecAssociationCategoryEnum as Category } from '@hubspot/api-client/lib/codegen/crm/objects/models/AssociationSpec.js'
import type { CrmTask } from '../../../src/core/ports/crm.ts'
import { toTaskBody } from './task-body.ts'
import { TASK_TYPES } from './task-words.ts'
import { cut, MAX_VALUE_CHARACTERS } from './to-wire.ts'

/** The property that holds the text of a task, and its marker. */
export const BODY = 'hs_task_body'

/** A task as HubSpot is asked to create it. */
export type TaskInput = ReturnType<typeof taskInput>

export function taskInput(task: CrmTask) {
  return { properties: toProperties(task), associations: toAssociations(task) }
}

/** `hs_timestamp` is when the task is due. */
function toProperties(task: CrmTask): Record<string, string> {
  return {
    hs_timestamp: task.dueAt,
    hs_task_subject: cut(task.subject, MAX_VALUE_CHARACTERS),
    [BODY]: toTaskBody(task.body, task.marker),
    hs_task_status: 'NOT_STARTED',
    hs_task_priority: task.priority.toUpperCase(),
    hs_task_type: TASK_TYPES[task.type ?? 'to-do'],
    ...(task.ownerId === null ? {} : { hubspot_owner_id: task.ownerId }),
    ...(task.queueId ? { hs_queue_membership_ids: task.queueId } : {}),
    // Unlike other times, in milliseconds only.
    ...(task.reminderAt ? { hs_task_reminders: String(Date.parse(task.reminderAt)) } : {}),
  }
}

function toAssociations({ contactIds, companyId, dealId }: CrmTask) {
  return [
    ...contactIds.map((id) => association(id, AssociationTypes.taskToContact)),
    ...(companyId === null ? [] : [association(companyId, AssociationTypes.taskToCompany)]),
    ...(dealId ? [association(dealId, AssociationTypes.taskToDeal)] : []),
  ]
}

export function association(id: string, associationTypeId: number) {
  return {
    to: { id },
    types: [{ associationCategory: Category.HubspotDefined, associationTypeId }],
  }
}
