import { sql } from 'kysely'
import type { MappingSet } from '../../src/core/mapping/mapping-set.ts'
import { isOptedOut } from '../../src/core/playbook/guards.ts'
import { playbooksOf } from '../../src/core/playbook/playbooks-of.ts'
import type { Db } from '../../src/infra/postgres/database.ts'
import { readTraits } from '../../src/infra/postgres/trait-store.ts'
import { heirsById } from './address-task.ts'
import type { PlannedTask } from './planned-task.ts'

/** A planned task, as far as it names people. */
export interface NamingTask {
  readonly key: string
  readonly playbook: string
  readonly accountRef: string
  readonly personRef: string | null
  readonly task: PlannedTask
}

/** What is left of a task when those who opted out since it was planned are left out; null when nothing is. */
export type Remainder = PlannedTask | null

/**
 * Looks once more, when tasks are made, who has opted out: between planning and now the CRM was read.
 * @returns by key, those of whose people somebody has.
 */
export async function withoutOptedOut(
  db: Db,
  set: Pick<MappingSet, 'crms' | 'playbooks'>,
  crm: string,
  intents: readonly NamingTask[],
  now: Date,
): Promise<ReadonlyMap<string, Remainder>> {
  const guards = new Map(playbooksOf(set, crm).map((one) => [one.id, one.guards]))
  const guarded = intents.filter(({ playbook }) => guards.get(playbook)?.['opted-out'].length)
  const left = new Map<string, Remainder>()
  if (guarded.length === 0) return left
  const named = guarded.flatMap(({ personRef, task }) => [personRef ?? [], task.personRefs].flat())
  const heirs = await heirsById(db, named)
  const people = [...new Set([...named, ...heirs.values()])]
  const ids = [...new Set([...people, ...guarded.map(({ accountRef }) => accountRef)])]
  const traits = await readTraits(db, ids, { asOf: now })
  const isNow = (id: string) => heirs.get(id) ?? id
  const emails = await emailsOf(db, people)
  for (const { key, playbook, accountRef, personRef, task } of guarded) {
    const rules = guards.get(playbook)
    const isOut = (id: string) => rules !== undefined && isOptedOut(rules, traits.get(id) ?? {})
    const subject = personRef === null ? accountRef : isNow(personRef)
    const out = task.personRefs.filter((id) => isOut(isNow(id)))
    if (!isOut(subject) && out.length === 0) continue
    const personRefs = task.personRefs.filter((id) => !out.includes(id))
    const isNobody = isOut(subject) || personRefs.length === 0
    const names = out.flatMap((id) => [emails.get(id) ?? [], emails.get(isNow(id)) ?? []].flat())
    left.set(key, isNobody ? null : { ...withoutNames(task, names), personRefs })
  }
  return left
}

/** Whether somebody has opted out by the rules of a playbook. */
export async function hasOptedOut(
  db: Db,
  set: Pick<MappingSet, 'crms' | 'playbooks'>,
  { crm, playbook }: { readonly crm: string; readonly playbook: string },
  id: string,
  now: Date,
): Promise<boolean> {
  const rules = playbooksOf(set, crm).find((one) => one.id === playbook)?.guards
  if (!rules || rules['opted-out'].length === 0) return false
  return isOptedOut(rules, (await readTraits(db, [id], { asOf: now })).get(id) ?? {})
}

/** Notes that a planned task says less than before. */
export async function keepRemainder(db: Db, key: string, task: PlannedTask): Promise<void> {
  await db
    .updateTable('task_intent')
    .set({ task: JSON.stringify(task) })
    .where('key', '=', key)
    .execute()
}

async function emailsOf(db: Db, ids: readonly string[]): Promise<ReadonlyMap<string, string>> {
  const rows = await db
    .selectFrom('person')
    .select(['id', 'email'])
    .where(sql<boolean>`id = any(${[...ids]}::text[])`)
    .execute()
  return new Map(rows.flatMap(({ id, email }) => (email === null ? [] : [[id, email] as const])))
}

function withoutNames(task: PlannedTask, emails: readonly string[]): PlannedTask {
  const told = (text: string) =>
    emails.reduce((rest, email) => rest.replaceAll(email, 'somebody who has opted out'), text)
  const reason = task.reason === undefined ? {} : { reason: told(task.reason) }
  return { ...task, subject: told(task.subject), body: told(task.body), ...reason }
}
