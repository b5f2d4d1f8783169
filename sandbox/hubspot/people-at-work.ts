import { defaultTypeId } from './association-endpoints.ts'
import type { AssociationEnd } from './association-graph.ts'
import { closingStage } from './deal-pipelines.ts'
import { type ObjectType, readObjectType } from './object-types.ts'
import type { PortalState } from './portal-state.ts'
import { link, unlink } from './record-linking.ts'
import { applyPlanned, WritePlan } from './write-plan.ts'

type Properties = Readonly<Record<string, string>>

/** Records that something is about, by their ids. */
export interface About {
  readonly contacts?: readonly string[]
  readonly companies?: readonly string[]
  readonly deals?: readonly string[]
}

/** What people of the account do in HubSpot, under the same rules as the API and without a call. */
export interface PeopleAtWork {
  /** Changes a record by hand, such as the owner or the due date of a task. */
  edit(object: string, id: string, properties: Properties): void
  completeTask(id: string): void
  /** Logs a call, an e-mail, a meeting or a note; returns its id. */
  log(kind: 'calls' | 'emails' | 'meetings' | 'notes', about: About, properties: Properties): string
  /** Opens a deal; returns its id. */
  openDeal(about: About, properties: Properties): string
  /** Moves a deal to a stage of its pipeline. */
  moveDeal(id: string, stage: string): void
  closeDeal(id: string, outcome: 'won' | 'lost'): void
  /** Takes a deal, task or activity off what it was about. */
  unlink(object: string, id: string, about: About): void
}

const BY_HAND = 'CRM_UI'

export function peopleAtWork(state: PortalState): PeopleAtWork {
  const edit = (object: string, id: string, properties: Properties) => {
    const type = readObjectType(object)
    const record = state.table(type).live(id)
    if (record === undefined) throw new Error(`there is no ${object} ${id}`)
    state.transact(() => {
      const planned = new WritePlan(state, type).update(record, properties)
      applyPlanned(state, type, planned, BY_HAND)
    })
  }
  const create = (type: ObjectType, about: About, properties: Properties): string =>
    state.transact(() => {
      const planned = new WritePlan(state, type).create(properties)
      applyPlanned(state, type, planned, BY_HAND)
      const from = { type, id: planned.id }
      for (const to of endsOf(about)) link(state, from, to, defaultTypeId(type, to.type))
      return planned.id
    })
  return {
    edit,
    completeTask: (id) => edit('tasks', id, { hs_task_status: 'COMPLETED' }),
    log: (kind, about, properties) => create(kind, about, properties),
    openDeal: (about, properties) =>
      create('deals', about, { dealstage: 'appointmentscheduled', ...properties }),
    moveDeal: (id, stage) => edit('deals', id, { dealstage: stage }),
    closeDeal: (id, outcome) => {
      const pipeline = state.table('deals').live(id)?.properties['pipeline'] ?? 'default'
      edit('deals', id, { dealstage: closingStage(pipeline, outcome) })
    },
    unlink: (object, id, about) => {
      const from = { type: readObjectType(object), id }
      state.transact(() => {
        for (const to of endsOf(about)) unlink(state, from, to)
      })
    },
  }
}

function endsOf(about: About): AssociationEnd[] {
  return Object.entries(about).flatMap(([type, ids]: [string, readonly string[]]) =>
    ids.map((id) => ({ type: readObjectType(type), id })),
  )
}
