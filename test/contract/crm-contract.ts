import { afterEach, beforeEach, describe } from '@jest/globals'
import { describeActions } from './crm-contract-actions.ts'
import { describeChanges } from './crm-contract-changes.ts'
import { describeFailures } from './crm-contract-failures.ts'
import { describeNotes } from './crm-contract-notes.ts'
import { describeOutcomes } from './crm-contract-outcomes.ts'
import { describeProvisioning } from './crm-contract-provisioning.ts'
import { describeRecords } from './crm-contract-records.ts'
import type { CrmSubject, SubjectHolder } from './crm-contract-subject.ts'
import { describeTaskEnds } from './crm-contract-task-ends.ts'
import { describeTasks } from './crm-contract-tasks.ts'
import { describeValues } from './crm-contract-values.ts'
import { describeWrites } from './crm-contract-writes.ts'

/** What every CRM connector promises. Run it with a fresh account for each test. */
export function describeCrmContract(name: string, makeSubject: () => Promise<CrmSubject>): void {
  describe(`the CRM port, kept by ${name}`, () => {
    let current: CrmSubject | undefined
    const holder: SubjectHolder = {
      get subject() {
        if (!current) throw new Error('the subject exists only while a test runs')
        return current
      },
    }

    beforeEach(async () => {
      current = await makeSubject()
    })
    afterEach(async () => {
      await current?.close()
    })

    describeProvisioning(holder)
    describeRecords(holder)
    describeWrites(holder)
    describeValues(holder)
    describeTasks(holder)
    describeTaskEnds(holder)
    describeNotes(holder)
    describeActions(holder)
    describeOutcomes(holder)
    describeChanges(holder)
    describeFailures(holder)
  })
}
