import type { Playbook, PlaybookAction, PlaybookSegment } from '../../src/core/mapping/playbook.ts'
import { renderText, type TaskStory } from '../../src/core/playbook/task-story.ts'
import { slackBody } from '../../src/infra/outbound/webhook.ts'
import { planAction } from '../../src/infra/postgres/crm-action-store.ts'
import type { Tx } from '../../src/infra/postgres/database.ts'
import { planMessage } from '../../src/infra/postgres/message-store.ts'
import { arrivedAt, markTouched } from '../../src/infra/postgres/touched.ts'
import { storeSeenTraits } from '../../src/infra/postgres/trait-store.ts'
import { requestTouched, requestWork } from '../../src/infra/postgres/work.ts'

/** A start whose actions besides the task are to be planned. */
export interface StartedActions {
  readonly key: string
  readonly subjectId: string
  readonly playbook: Playbook
  readonly segment: PlaybookSegment
  readonly story: TaskStory
  /** People whom the texts name, the subject in front where it is one. */
  readonly personIds: readonly string[]
  readonly now: Date
}

/** The origin of traits that a playbook sets. */
const originOf = (playbook: string): string => `playbook/${playbook}`

/** Plans what a playbook does besides its task, in the transaction that notes its start. */
export async function planActions(tx: Tx, start: StartedActions): Promise<void> {
  for (const [index, action] of start.segment.actions.entries()) {
    if ('set' in action) await setTraits(tx, start, action.set)
    await planInCrm(tx, start, action, index)
    const message = await messageOf(start, action)
    if (!message) continue
    await planMessage(tx, { key: `${start.key}|${index}`, ...message }, start.now)
    await requestWork(tx, 'outbound', 'all')
  }
}

/**
 * A trait is what is told of somebody: the mapping of a CRM writes it where a property is filled from it, and
 * later playbooks may go by it. What the playbook set before in another segment is over.
 */
async function setTraits(
  tx: Tx,
  { playbook, subjectId, now }: StartedActions,
  values: Readonly<Record<string, string>>,
): Promise<void> {
  const news = await storeSeenTraits(tx, originOf(playbook.id), [{ about: subjectId, values }], now)
  if (news.length === 0) return
  // It is no news of usage: nothing arrived.
  await markTouched(tx, 'score', [subjectId], arrivedAt(null))
  await requestTouched(tx, 'score', 'all')
  await requestWork(tx, 'desire', 'all')
}

/** What is done in the CRM itself, one row for each whom it is about. */
async function planInCrm(
  tx: Tx,
  start: StartedActions,
  action: PlaybookAction,
  index: number,
): Promise<void> {
  const asked = await askedOf(start, action)
  if (asked === null) return
  const { crm } = start.playbook
  for (const ref of asked.refs) {
    const key = `${start.key}|${index}|${ref}`
    await planAction(tx, { key, crm, ref, ...asked.what }, start.now)
  }
  await requestWork(tx, 'reconcile', crm)
}

async function askedOf(
  { playbook, subjectId, personIds, story }: StartedActions,
  action: PlaybookAction,
) {
  const none = { memberStatus: null, properties: {} }
  if ('list' in action) {
    const refs = action.who === 'people' ? personIds : [subjectId]
    return { refs, what: { ...none, kind: action.act, target: action.list } }
  }
  if ('campaign' in action) {
    const memberStatus = action.status ?? null
    const what = { ...none, kind: action.act, target: action.campaign, memberStatus }
    return { refs: personIds, what }
  }
  if (!('event' in action)) return null
  const properties: Record<string, string> = {}
  for (const [name, text] of Object.entries(action.properties)) {
    properties[name] = (await renderText(`${playbook.id}.properties.${name}`, text, story)).trim()
  }
  const what = { ...none, kind: 'event' as const, target: action.event, properties }
  return { refs: [subjectId], what }
}

async function messageOf(
  { key, playbook, segment, subjectId, story, now }: StartedActions,
  action: PlaybookAction,
) {
  if ('slack' in action) {
    const text = await renderText(`${playbook.id}.text`, action.text, story)
    return { addressVariable: action.slack, secretVariable: null, body: slackBody(text.trim()) }
  }
  if (!('webhook' in action)) return null
  const body = JSON.stringify({
    type: 'playbook.started',
    timestamp: now.toISOString(),
    data: {
      ...{ start: key, playbook: playbook.id, segment: segment.name, motion: segment.motion },
      subject: { kind: playbook.subject, id: subjectId },
      story,
    },
  })
  return { addressVariable: action.webhook, secretVariable: action.secret, body }
}
