import type {
  PreviewField,
  PreviewHeld,
  RecordPreview,
} from '../../../jobs/steps/preview-records.ts'
import { cutText } from '../../core/cut-text.ts'
import type { CrmValue } from '../../core/ports/crm.ts'
import type { Preview, PreviewTotals } from '../preview.ts'
import { paint } from './paint.ts'
import { table } from './tables.ts'

const STEPS = {
  create: '+ new',
  update: '~ update',
  same: '= as it should be',
  unlinked: '· not in the CRM',
  parked: '! needs a person',
  archive: '- put away',
} as const

/** Records that would change or need a person, each with its properties; the others are only counted. */
export function describeRecords(records: readonly RecordPreview[]): string[] {
  return records
    .filter(({ step, held }) => held.length > 0 || (step !== 'same' && step !== 'unlinked'))
    .flatMap((record) => describeRecord(record))
}

export function describeRecord(record: RecordPreview): string[] {
  const { object, name, crmId, step, reason, fields, held } = record
  const id = crmId === null ? '' : ` (${crmId})`
  return [
    `${paint('bold', `${object} ${name}`)}${id}  ${STEPS[step]}`,
    ...(reason === null ? [] : [`    ${reason}`]),
    ...describeFields(fields),
    ...held.map(describeHeld),
  ]
}

const WHYS = {
  'small-change': 'the change is too small',
  'too-soon': 'it was written a short time ago',
  edited: 'somebody else wrote it',
  filled: 'it has a value',
  less: 'it would become less',
  theirs: 'what the CRM says stands',
  parked: 'somebody puts another value back each time: ripen parked',
} as const

function describeHeld({ property, old, wanted, why, until }: PreviewHeld): string {
  const when = until === null ? '' : `, until ${until}`
  return paint(
    'dim',
    `    ${property}  stays ${shown(old)}, not ${shown(wanted)}: ${WHYS[why]}${when}`,
  )
}

/** A line of a terminal holds two values of this length beside the name. */
const MOST_VALUE = 32

function describeFields(fields: readonly PreviewField[]): string[] {
  if (fields.length === 0) return []
  const widest = Math.max(...fields.map(({ property }) => property.length))
  return fields.map(({ property, old, new: value }) => {
    const [before, after] = [shown(old), shown(value)]
    return `    ${property.padEnd(widest)}  ${paint('red', before)} → ${paint('green', after)}`
  })
}

/** A value on one line, cut where it is long; `--json` has all of it. */
export function shown(value: CrmValue): string {
  if (value === null || value === '') return '—'
  const text = (Array.isArray(value) ? value.join(';') : String(value)).replace(/\s+/g, ' ')
  return text.length <= MOST_VALUE ? text : `${cutText(text, MOST_VALUE - 1)}…`
}

/** How many records, values and calls. */
export function describeTotals({ totals, writeCalls }: Preview): string[] {
  return [
    'Totals',
    table(totals.map((one) => [`  ${one.object}`, describeCounts(one), lookedAt(one)])),
    `  ${writeCalls} write calls, besides associations and tasks`,
  ]
}

function describeCounts({
  create,
  update,
  archive,
  same,
  unlinked,
  parked,
  fields,
}: PreviewTotals) {
  const parts = [
    `${create} new`,
    `${update} to update`,
    ...(archive > 0 ? [`${archive} to put away`] : []),
    `${same} as they should be`,
    ...(unlinked > 0 ? [`${unlinked} not in the CRM`] : []),
    ...(parked > 0 ? [`${parked} need a person`] : []),
    `${fields} values`,
  ]
  return parts.join(', ')
}

const lookedAt = ({ all, looked }: PreviewTotals): string =>
  looked < all ? `${looked} of ${all} looked at` : ''
