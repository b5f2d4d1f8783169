import type { ActionOutcome, CrmMembership } from '../../../src/core/ports/crm-actions.ts'
import { createRecords, deleteRecords, type Saved, updateRecords } from './collections.ts'
import { describeRowError, rowErrorKind } from './error-codes.ts'
import { toLongId } from './long-id.ts'
import { isId, objectOf } from './objects.ts'
import { idOf, literalBytes, queriesFor, type Row, runQueries, textOf } from './query.ts'
import type { Session } from './session.ts'
import { soql } from './soql.ts'
import type { WireError } from './wire-errors.ts'

const CAMPAIGN = /^701[A-Za-z0-9]{12}(?:[A-Za-z0-9]{3})?$/
/** Two members of one campaign are never the same person. */
const THERE_ALREADY = 'DUPLICATE_VALUE'

type Placed = readonly [position: number, membership: CrmMembership]

/**
 * Puts contacts and leads into campaigns and takes them out. Who is a member is read right before, so that nobody becomes one
 * twice and a call in doubt may be made again. Throws only while nothing was sent.
 */
export async function setMemberships(
  session: Session,
  memberships: readonly CrmMembership[],
  signal: AbortSignal,
): Promise<ActionOutcome[]> {
  const outcomes: ActionOutcome[] = memberships.map(() => ({ kind: 'unknown' }))
  const open: Placed[] = []
  for (const [position, asked] of memberships.entries()) {
    const membership = { ...asked, groupId: toLongId(asked.groupId) }
    const problem = problemOf(membership)
    if (problem === null) open.push([position, membership])
    else outcomes[position] = rejected(problem)
  }
  let isUnderWay = false
  for (const some of inTurns(open)) {
    try {
      await setSome(session, some, outcomes, signal)
    } catch (error) {
      if (!isUnderWay) throw error
      return outcomes
    }
    isUnderWay = true
  }
  return outcomes
}

function problemOf({ groupId, crmId }: CrmMembership): string | null {
  if (!CAMPAIGN.test(groupId)) return `${groupId} is no id of a campaign`
  const isPerson = isId(crmId) && ['Contact', 'Lead'].includes(objectOf(crmId) ?? '')
  return isPerson ? null : 'only contacts and leads can be members of a campaign'
}

const rejected = (reason: string, code: string | null = null): ActionOutcome => ({
  ...{ kind: 'rejected', reason, code, correlationId: null },
})

/** What is asked of one member of one campaign twice comes in another call, the later one last. */
function inTurns(open: readonly Placed[]): Placed[][] {
  const turns: Placed[][] = []
  const seen = new Map<string, number>()
  for (const placed of open) {
    const name = `${placed[1].groupId} ${placed[1].crmId}`
    const turn = seen.get(name) ?? 0
    seen.set(name, turn + 1)
    const there = turns[turn]
    if (there) there.push(placed)
    else turns.push([placed])
  }
  return turns.flatMap((turn) => batches(turn))
}

const MAX = 200
const batches = (turn: readonly Placed[]): Placed[][] =>
  Array.from({ length: Math.ceil(turn.length / MAX) }, (_, at) =>
    turn.slice(at * MAX, (at + 1) * MAX),
  )

async function setSome(
  session: Session,
  some: readonly Placed[],
  outcomes: ActionOutcome[],
  signal: AbortSignal,
): Promise<void> {
  const members = await readMembers(session, some, signal)
  const memberOf = ({ groupId, crmId }: CrmMembership) => members.get(`${groupId} ${crmId}`)
  const adds: Placed[] = []
  const changes: Placed[] = []
  const removes: Placed[] = []
  for (const placed of some) {
    const [position, membership] = placed
    const member = memberOf(membership)
    const isSame =
      member !== undefined &&
      (membership.status === null || textOf(member, 'Status') === membership.status)
    if (membership.act === 'remove') {
      if (member) removes.push(placed)
      else outcomes[position] = { kind: 'done' }
    } else if (!member) adds.push(placed)
    else if (isSame) outcomes[position] = { kind: 'done' }
    else changes.push(placed)
  }
  const idIn = (placed: Placed) => idOf(memberOf(placed[1]) ?? {})
  if (adds.length > 0) {
    const fields = adds.map(([, membership]) => fieldsOf(membership))
    const answer = await createRecords(session, 'CampaignMember', fields, {}, signal)
    take(answer, adds, outcomes)
  }
  if (changes.length > 0) {
    const records = changes.map((placed) => ({
      id: idIn(placed),
      fields: { Status: placed[1].status },
    }))
    const answer = await updateRecords(session, 'CampaignMember', records, {}, signal)
    take(answer, changes, outcomes)
  }
  if (removes.length > 0) {
    const answer = await deleteRecords(session, removes.map(idIn), signal)
    take(answer, removes, outcomes)
  }
}

function fieldsOf({ groupId, crmId, status }: CrmMembership) {
  const who = objectOf(crmId) === 'Lead' ? { LeadId: crmId } : { ContactId: crmId }
  return { CampaignId: groupId, ...who, ...(status === null ? {} : { Status: status }) }
}

function take(
  answer: Awaited<ReturnType<typeof createRecords>>,
  asked: readonly Placed[],
  outcomes: ActionOutcome[],
): void {
  if (!answer.ok && answer.failure.kind === 'failed') {
    if (!answer.failure.mayHaveHappened) throw answer.failure.error
    return
  }
  const whole =
    !answer.ok && answer.failure.kind === 'refused' ? answer.failure.errors[0] : undefined
  for (const [place, [position, membership]] of asked.entries()) {
    const saved = answer.ok ? answer.saved[place] : undefined
    const outcome = outcomeOf(saved, whole, membership)
    if (outcome) outcomes[position] = outcome
  }
}

function outcomeOf(
  saved: Saved | undefined,
  whole: WireError | undefined,
  { act, groupId }: CrmMembership,
): ActionOutcome | null {
  if (saved?.kind === 'saved') return { kind: 'done' }
  const error = saved?.kind === 'error' ? saved.error : whole
  if (!error) return null
  if (act === 'add' && error.code === THERE_ALREADY) return { kind: 'done' }
  const kind = rowErrorKind(error)
  if (act === 'remove' && kind === 'absent') return { kind: 'done' }
  if (kind === 'locked' || kind === 'limit') return null
  return rejected(`campaign ${groupId}: ${describeRowError(error, [])}`, error.code)
}

async function readMembers(
  session: Session,
  some: readonly Placed[],
  signal: AbortSignal,
): Promise<ReadonlyMap<string, Row>> {
  const campaigns = [...new Set(some.map(([, { groupId }]) => groupId))]
  const people = [...new Set(some.map(([, { crmId }]) => crmId))]
  const ofLeads = people.filter((id) => objectOf(id) === 'Lead')
  const ofContacts = people.filter((id) => objectOf(id) === 'Contact')
  const queries = [
    ...queriesFor(ofLeads, literalBytes, (ids) => {
      return soql`SELECT Id, CampaignId, LeadId, ContactId, Status FROM CampaignMember WHERE CampaignId IN ${campaigns} AND LeadId IN ${ids}`
    }),
    ...queriesFor(ofContacts, literalBytes, (ids) => {
      return soql`SELECT Id, CampaignId, LeadId, ContactId, Status FROM CampaignMember WHERE CampaignId IN ${campaigns} AND ContactId IN ${ids}`
    }),
  ]
  const rows = (await runQueries(session, queries, signal)).flat()
  return new Map(
    rows.flatMap((row) => {
      const ends = [textOf(row, 'ContactId'), textOf(row, 'LeadId')]
      return ends.flatMap((end) => (end ? [[`${textOf(row, 'CampaignId')} ${end}`, row]] : []))
    }) as [string, Row][],
  )
}
