import { templateProblems, textProblem } from '../playbook/task-story.ts'
import { signalsOf } from '../playbook/triggers.ts'
import type { CrmMapping } from './crm-mapping.ts'
import type { Model } from './model.ts'
import type { FileProblem, ParsedFile } from './parse-yaml.ts'
import {
  OPTED_OUT,
  type Playbook,
  type PlaybookAction,
  type PlaybookCondition,
} from './playbook.ts'
import type { UsageMapping } from './usage-mapping.ts'

/** What the other files of a mapping folder declare. */
interface Known {
  readonly crms: ReadonlyMap<string, CrmMapping>
  readonly models: ReadonlyMap<string, Model>
  readonly actions: UsageMapping['actions']
  readonly traits: readonly string[]
}

interface Fault {
  readonly path: readonly PropertyKey[]
  readonly message: string
}

/** Names in a playbook that no file declares, texts that do not render, and what its CRM does not have. */
export function checkPlaybook(file: ParsedFile<Playbook>, known: Known): FileProblem[] {
  const playbook = file.data
  const mapping = known.crms.get(playbook.crm)
  const object = playbook.subject === 'account' ? 'company' : 'contact'
  const rules = mapping?.objects[object]
  if (!rules && !playbook.enabled) return []
  if (!rules) {
    const message = `${playbook.crm}.yaml says nothing of a ${object}; add it under objects`
    return [file.problem(['crm'], message)]
  }
  const models = rules.model.flatMap((id) => known.models.get(id) ?? [])
  // One that waits to be enabled may speak of what the other files do not have yet.
  const ofNames = playbook.enabled
    ? [...triggerFaults(playbook, models, known), ...traitFaults(playbook, known)]
    : []
  const faults = [
    ...ofNames,
    ...playbook.segments.flatMap(({ name, actions }, at) => [
      ...nameFaults(playbook, name, at),
      ...actionFaults(actions, ['segments', at, 'actions']),
      ...actions.flatMap((action, index) =>
        crmFaults(playbook.crm, action, ['segments', at, 'actions', index]),
      ),
    ]),
  ]
  return faults.map(({ path, message }) => file.problem(path, message))
}

function triggerFaults(
  { trigger, subject }: Playbook,
  models: readonly Model[],
  { actions }: Known,
): Fault[] {
  if ('people-active' in trigger && subject === 'person') {
    return [
      { path: ['trigger', 'people-active'], message: 'a person has no people; subject: account' },
    ]
  }
  if ('action-first' in trigger) {
    const name = trigger['action-first']
    const path = ['trigger', 'action-first']
    if (!Object.hasOwn(actions, name)) {
      return [
        {
          path,
          message: `${name} is no action of usage.yaml; known are ${listed(Object.keys(actions))}`,
        },
      ]
    }
    if (models.some((model) => signalsOf(name, model).length > 0)) return []
    const message = `no signal of ${idsOf(models)} tells of ${name}; add one with action: ${name}`
    return [{ path, message }]
  }
  if ('limit-reached' in trigger) {
    const name = trigger['limit-reached']
    const ratios = models.flatMap(({ signals }) =>
      signals.flatMap((s) => ('measure' in s && s.measure === 'ratio' ? [s.id] : [])),
    )
    if (ratios.includes(name)) return []
    const message = `${name} is no signal of ${idsOf(models)} with measure: ratio; known are ${listed(ratios)}`
    return [{ path: ['trigger', 'limit-reached'], message }]
  }
  return []
}

function traitFaults(playbook: Playbook, { traits }: Known): Fault[] {
  const places: { path: PropertyKey[]; name: string }[] = []
  const look = (path: PropertyKey[], conditions: readonly PlaybookCondition[]) => {
    conditions.forEach((one, index) => {
      if ('trait' in one) places.push({ path: [...path, index, 'trait'], name: one.trait })
    })
  }
  look(['conditions'], playbook.conditions)
  // Where nothing says who opted out, the guard that is there by itself holds nobody.
  const guarded = playbook.guards['opted-out'].filter(({ trait }) => trait !== OPTED_OUT)
  look(['guards', 'opted-out'], guarded)
  playbook.segments.forEach(({ when, actions }, at) => {
    look(['segments', at, 'when'], when)
    actions.forEach((action, index) => {
      if (!('task' in action)) return
      action.task.assign.forEach((rule, place) => {
        if (typeof rule === 'string' || !('territory' in rule)) return
        const path = ['segments', at, 'actions', index, 'task', 'assign', place, 'territory']
        places.push({ path, name: rule.territory })
      })
    })
  })
  return places
    .filter(({ name }) => !traits.includes(name))
    .map(({ path, name }) => ({
      path,
      message: `no file declares the trait ${name}; known are ${listed(traits)}`,
    }))
}

/** Tasks that are open are found again by the name of their segment. */
function nameFaults({ segments }: Playbook, name: string, at: number): Fault[] {
  if (segments.findIndex((one) => one.name === name) === at) return []
  return [{ path: ['segments', at, 'name'], message: `${name} is the name of another segment too` }]
}

function actionFaults(actions: readonly PlaybookAction[], path: readonly PropertyKey[]): Fault[] {
  const tasks = actions.flatMap((action, index) => ('task' in action ? [index] : []))
  const twice = tasks.slice(1).map((index) => ({
    path: [...path, index, 'task'],
    message: 'a segment has one task at most; make it another segment',
  }))
  return [...twice, ...actions.flatMap((action, index) => oneFaults(action, [...path, index]))]
}

/** What only one of the CRMs has. */
function crmFaults(crm: string, action: PlaybookAction, path: readonly PropertyKey[]): Fault[] {
  const needs = { list: 'hubspot', campaign: 'salesforce', event: 'hubspot' }
  return Object.entries(needs).flatMap(([name, owner]) => {
    if (!(name in action) || owner === crm) return []
    const other = crm === 'salesforce' ? 'campaign' : 'list'
    const message = `${crm} has no ${name}; take ${other}, or a playbook with crm: ${owner}`
    return [{ path: [...path, name], message }]
  })
}

function oneFaults(action: PlaybookAction, path: readonly PropertyKey[]): Fault[] {
  if ('task' in action) {
    return templateProblems(action.task).map(({ template, message }) => ({
      path: [...path, 'task', template],
      message,
    }))
  }
  if ('event' in action) {
    return Object.entries(action.properties).flatMap(([name, text]) => {
      const message = textProblem(text)
      return message === null ? [] : [{ path: [...path, 'properties', name], message }]
    })
  }
  const message = 'slack' in action ? textProblem(action.text) : null
  return message === null ? [] : [{ path: [...path, 'text'], message }]
}

const idsOf = (models: readonly Model[]): string => models.map(({ id }) => id).join(' and ')
const listed = (names: readonly string[]): string => [...names].sort().join(', ') || 'none'
