/** The names under which it is kept what a CRM says, beside the one for its plain properties: its own. */

/** What reps answer. */
export const dispositionSource = (crm: string): string => `${crm} disposition`

/** What deals say. */
export const dealsSource = (crm: string): string => `${crm} deals`

/** What became of tasks. */
export const tasksSource = (crm: string): string => `${crm} tasks`
