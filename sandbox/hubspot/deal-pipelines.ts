import type { ApiEndpoint } from './api-endpoint.ts'
import { invalidValues, notFound } from './hubspot-error.ts'

const SINCE = '2019-08-06T02:41:10.293Z'

interface Stage {
  readonly id: string
  readonly label: string
  /** As text, the way HubSpot has it; 1.0 is won, 0.0 of a closed one is lost. */
  readonly probability: string
  readonly isClosed: boolean
}

interface Pipeline {
  readonly id: string
  readonly label: string
  readonly stages: readonly Stage[]
}

type StageRow = readonly [id: string, label: string, probability: string]

/** The pipelines of a new account, and one that this account added. */
const PIPELINES: readonly Pipeline[] = [
  pipeline('default', 'Sales Pipeline', [
    ['appointmentscheduled', 'Appointment Scheduled', '0.2'],
    ['qualifiedtobuy', 'Qualified To Buy', '0.4'],
    ['presentationscheduled', 'Presentation Scheduled', '0.6'],
    ['decisionmakerboughtin', 'Decision Maker Bought-In', '0.8'],
    ['contractsent', 'Contract Sent', '0.9'],
    ['closedwon', 'Closed Won', '1.0'],
    ['closedlost', 'Closed Lost', '0.0'],
  ]),
  pipeline('73210001', 'Renewals', [
    ['73210101', 'Renewal due', '0.5'],
    ['73210102', 'Renewed', '1.0'],
    ['73210103', 'Left us', '0.0'],
  ]),
]

/** Where deals are tracked: `/crm/v3/pipelines/deals`. */
export function pipelineEndpoints(): ApiEndpoint[] {
  const path = '/crm/v3/pipelines/:objectType'
  return [
    {
      method: 'get',
      path,
      kind: 'read',
      handle: ({ params }) => ({
        status: 200,
        body: { results: isDeals(params['objectType']) ? PIPELINES.map(view) : [] },
      }),
    },
    {
      method: 'get',
      path: `${path}/:pipelineId`,
      kind: 'read',
      handle: ({ params }) => {
        const found = PIPELINES.find(({ id }) => id === params['pipelineId'])
        if (found === undefined || !isDeals(params['objectType'])) {
          throw notFound('resource not found')
        }
        return { status: 200, body: view(found, PIPELINES.indexOf(found)) }
      },
    },
  ]
}

/** Refuses a stage that is not one of the deal's pipeline; the default one when it names none. */
export function checkStage(
  set: Readonly<Record<string, string>>,
  before: Readonly<Record<string, string>> = {},
): void {
  const { dealstage = '' } = set
  const name = set['pipeline'] ?? before['pipeline'] ?? 'default'
  const found = PIPELINES.find(({ id }) => id === name)
  if (found === undefined) {
    const message = `${name} is not a valid pipeline ID.`
    throw invalidValues([{ name: 'pipeline', error: 'INVALID_OPTION', message }])
  }
  if (dealstage === '' || found.stages.some(({ id }) => id === dealstage)) return
  const message = `${dealstage} is not a valid stage of pipeline ${name}.`
  throw invalidValues([{ name: 'dealstage', error: 'INVALID_OPTION', message }])
}

/** What HubSpot works out from the stage of a deal; `at` is when it got there. */
export function stageProperties(
  set: Readonly<Record<string, string>>,
  before: Readonly<Record<string, string>>,
  at: number,
): Record<string, string> {
  const stage = PIPELINES.flatMap(({ stages }) => stages).find(({ id }) => id === set['dealstage'])
  if (stage === undefined) return {}
  const wasClosed = before['hs_is_closed'] === 'true'
  const isClosing = stage.isClosed && !wasClosed && set['closedate'] === undefined
  return {
    hs_is_closed: String(stage.isClosed),
    hs_is_closed_won: String(isWon(stage)),
    hs_deal_stage_probability: stage.probability,
    ...((set['pipeline'] ?? before['pipeline']) === undefined ? { pipeline: 'default' } : {}),
    ...(isClosing ? { closedate: new Date(at).toISOString() } : {}),
  }
}

/** The stage in which a deal of a pipeline is won or lost. */
export function closingStage(pipelineId: string, outcome: 'won' | 'lost'): string {
  const stages = PIPELINES.find(({ id }) => id === pipelineId)?.stages ?? []
  const found = stages.find((stage) => stage.isClosed && isWon(stage) === (outcome === 'won'))
  if (found === undefined) throw new Error(`no pipeline ${pipelineId}`)
  return found.id
}

const isWon = ({ isClosed, probability }: Stage): boolean => isClosed && Number(probability) === 1

const isDeals = (name: string | undefined): boolean =>
  ['deals', 'deal', '0-3'].includes((name ?? '').toLowerCase())

function pipeline(id: string, label: string, rows: readonly StageRow[]): Pipeline {
  const stages = rows.map(([stageId, stageLabel, probability]) => {
    const isClosed = ['0.0', '1.0'].includes(probability)
    return { id: stageId, label: stageLabel, probability, isClosed }
  })
  return { id, label, stages }
}

function view({ id, label, stages }: Pipeline, displayOrder: number): Record<string, unknown> {
  const times = { createdAt: SINCE, updatedAt: SINCE, archived: false }
  return {
    id,
    label,
    displayOrder,
    stages: stages.map((stage, order) => ({
      id: stage.id,
      label: stage.label,
      displayOrder: order,
      metadata: { isClosed: String(stage.isClosed), probability: stage.probability },
      writePermissions: 'CRM_PERMISSIONS_ENFORCEMENT',
      ...times,
    })),
    ...times,
  }
}
