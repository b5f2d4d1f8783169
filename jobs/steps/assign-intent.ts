import type { PlaybookTask } from '../../src/core/mapping/playbook.ts'
import {
  type Assignment,
  assignTask,
  type Credits,
  takesTurns,
  type Workload,
} from '../../src/core/playbook/assign.ts'
import { dayBegin, dayIn, dueAt, zoneOf } from '../../src/core/playbook/due.ts'
import type { CrmOwner } from '../../src/core/ports/crm.ts'
import type { Db } from '../../src/infra/postgres/database.ts'
import { readTurns, storeTurns } from '../../src/infra/postgres/playbook-store.ts'
import { assignIntent, readGiven } from '../../src/infra/postgres/task-store.ts'
import { readTraits } from '../../src/infra/postgres/trait-store.ts'
import type { TaskAddress } from './address-task.ts'
import type { PlannedTask } from './planned-task.ts'

/** A planned task that looks for its owner. */
export interface Unassigned {
  readonly key: string
  readonly crm: string
  readonly playbook: string
  readonly accountRef: string
  readonly personRef: string | null
  readonly task: PlannedTask
  readonly createdAt: Date
}

/** Looks whose a task is; changes nothing. */
export async function findOwner(
  db: Db,
  intent: Unassigned,
  rules: PlaybookTask,
  address: TaskAddress,
  owners: readonly CrmOwner[],
  now: Date,
): Promise<Assignment> {
  const { crm, accountRef, personRef, playbook, task } = intent
  const isInTurn = takesTurns(rules)
  const since = new Date(now.getTime() - DAY_AND_MORE_MS)
  const given = isInTurn ? await readGiven(db, crm, since) : []
  const workload = (owner: CrmOwner): Workload => {
    const zone = zoneOf(rules['working-hours'], owner)
    const begin = dayBegin(now, zone)
    const own = given.filter(({ ownerId }) => ownerId === owner.id)
    return {
      open: own.filter(({ isOpen }) => isOpen).length,
      today: own.filter(({ assignedAt }) => assignedAt !== null && assignedAt >= begin).length,
      day: dayIn(now, zone),
    }
  }
  const isOfTerritory = rules.assign.some((r) => typeof r !== 'string' && 'territory' in r)
  const about = personRef ?? accountRef
  const traits = isOfTerritory ? (await readTraits(db, [about], { asOf: now })).get(about) : {}
  const turns = { crm, playbook, segment: task.segment ?? '' }
  return assignTask(rules, {
    ...{ owners, workload, of: address.owners, traits: traits ?? {} },
    incumbentId: given.find((g) => g.isOpen && g.accountRef === accountRef)?.ownerId ?? null,
    credits: isInTurn ? await readTurns(db, turns) : {},
  })
}

/** Nobody's day is longer, wherever she is. */
const DAY_AND_MORE_MS = 50 * 3_600_000

/** Notes whose a task is, together with the turn that it took; it stays hers. */
export async function keepOwner(
  db: Db,
  intent: Unassigned,
  rules: PlaybookTask,
  owner: CrmOwner | null,
  found: { readonly by: string; readonly credits: Credits | null },
  now: Date,
): Promise<PlannedTask> {
  const hours = rules['working-hours']
  const timeZone = zoneOf(hours, owner)
  const task = hours ? inHours(intent, rules, timeZone) : { ...intent.task, timeZone }
  const { crm, playbook, key } = intent
  await db.transaction().execute(async (tx) => {
    await assignIntent(tx, key, { ownerId: owner?.id ?? null, by: found.by, task }, now)
    if (found.credits) {
      const turns = { crm, playbook, segment: intent.task.segment ?? '' }
      await storeTurns(tx, turns, found.credits)
    }
  })
  return task
}

/** The same task, due when its owner has had her time. */
function inHours({ task, createdAt }: Unassigned, rules: PlaybookTask, zone: string): PlannedTask {
  const due = dueAt(createdAt, rules['due-in'], rules['working-hours'], zone)
  const before = rules['remind-before']
  return {
    ...task,
    dueAt: due.toISOString(),
    timeZone: zone,
    reminderAt: before === undefined ? null : new Date(due.getTime() - before).toISOString(),
  }
}
