/** The objects that the package adds fields to; those on `Activity` show on tasks and events. */
export type PackageObject = 'Lead' | 'Contact' | 'Account' | 'Activity'

/** What a field holds, in Salesforce's terms. Lengths are characters. */
export type FieldKind =
  | { readonly type: 'Text'; readonly length: number }
  | { readonly type: 'Key'; readonly length: number }
  | { readonly type: 'LongTextArea'; readonly length: number; readonly visibleLines: number }
  | { readonly type: 'Number'; readonly digits: number }
  | { readonly type: 'DateTime' }
  | {
      readonly type: 'Picklist'
      readonly values: readonly (readonly [value: string, label: string])[]
    }

/** One custom field of the package. */
export interface PackageField {
  /** API name, with `__c`. */
  readonly name: string
  /** At most 40 characters. */
  readonly label: string
  /** What stands under the field's help, for a person who sees it on a record. */
  readonly help: string
  readonly kind: FieldKind
  /** Who fills it: Ripen, or the rep who answers. */
  readonly writer: 'ripen' | 'rep'
}

const USAGE_STATUSES = [
  ['new', 'New'],
  ['nurture', 'Nurture'],
  ['assist', 'Assist'],
  ['qualified', 'Qualified'],
  ['cooling', 'Cooling'],
  ['stale', 'Stale'],
] as const
const SALES_STATUSES = [
  ['none', 'None'],
  ['accepted', 'Accepted'],
  ['rejected', 'Rejected'],
  ['opportunity', 'Opportunity'],
  ['won', 'Won'],
  ['lost', 'Lost'],
] as const
const TRENDS = [
  ['rising', 'Rising'],
  ['steady', 'Steady'],
  ['falling', 'Falling'],
  ['quiet', 'Quiet'],
] as const
const DISPOSITIONS = [
  ['accepted', 'Accepted'],
  ['rejected', 'Not a fit'],
] as const
const REJECTIONS = [
  ['no-budget', 'No budget'],
  ['no-need', 'No need'],
  ['not-decider', 'Not the one who decides'],
  ['bad-timing', 'Bad timing'],
  ['competitor', 'Competitor or student'],
  ['duplicate', 'In contact already'],
  ['other', 'Other'],
] as const

const text = (length: number): FieldKind => ({ type: 'Text', length })
const long = (length: number, visibleLines: number): FieldKind => ({
  type: 'LongTextArea',
  length,
  visibleLines,
})
const number = (digits: number): FieldKind => ({ type: 'Number', digits })
const INSTANT: FieldKind = { type: 'DateTime' }

/** Fields of one subject: `PQL` for persons, `PQA` for accounts. */
function scoreFields(prefix: 'PQL' | 'PQA', key: string): PackageField[] {
  const field = (name: string, words: string, kind: FieldKind, help: string): PackageField => ({
    name: `${prefix}_${name}__c`,
    label: `${prefix} ${words}`,
    help,
    kind,
    writer: 'ripen',
  })
  return [
    field(
      key,
      key.replaceAll('_', ' ').toLowerCase().replace(/ id$/, ' id'),
      { type: 'Key', length: 64 },
      'Identifies the record of Ripen; do not edit.',
    ),
    field('Score', 'score', number(3), '0 to 100; the reasons add up to it.'),
    field('Grade', 'grade', text(40), 'The band that the score falls into.'),
    field(
      'Usage_Status',
      'usage status',
      { type: 'Picklist', values: USAGE_STATUSES },
      'What usage says.',
    ),
    field(
      'Sales_Status',
      'sales status',
      { type: 'Picklist', values: SALES_STATUSES },
      'What sales says.',
    ),
    field('Status_Since', 'status since', INSTANT, 'When the usage status changed last.'),
    field('Qualified_At', 'qualified at', INSTANT, 'When it was qualified last; empty if never.'),
    field('Change', 'change', number(3), 'Difference to the score before the last change.'),
    field(
      'Trend',
      'trend',
      { type: 'Picklist', values: TRENDS },
      'The last 14 days against the 14 before.',
    ),
    field('Reason_1', 'reason 1', text(255), 'The strongest reason, with its points.'),
    field('Reason_2', 'reason 2', text(255), 'The second reason.'),
    field('Reason_3', 'reason 3', text(255), 'The third reason.'),
    field('Summary', 'summary', text(255), 'One line about the whole.'),
    field('Explanation', 'explanation', long(4000, 6), 'Every reason with its points, one a line.'),
    field('What_Changed', 'what changed', long(4000, 4), 'What made the last change of the score.'),
    field('To_Qualify', 'to qualify', long(4000, 4), 'What would qualify; empty for who is.'),
    field('Last_Active', 'last active', INSTANT, 'Last use of the product.'),
    field('Active_Days_30', 'active days in 30', number(2), 'Days with any use in the last 30.'),
    field('Model', 'model', text(80), 'The model that speaks, and its version.'),
  ]
}

/** What the rep answers, read back by Ripen. */
function answerFields(prefix: 'PQL' | 'PQA'): PackageField[] {
  return [
    {
      name: `${prefix}_Disposition__c`,
      label: `${prefix} disposition`,
      help: 'Your answer: accepted, or not a fit. Ripen reads it and holds back accordingly.',
      kind: { type: 'Picklist', values: DISPOSITIONS },
      writer: 'rep',
    },
    {
      name: `${prefix}_Rejection_Reason__c`,
      label: `${prefix} rejection reason`,
      help: 'Why it is not a fit; it teaches the model.',
      kind: { type: 'Picklist', values: REJECTIONS },
      writer: 'rep',
    },
  ]
}

const PERSON: readonly PackageField[] = [...scoreFields('PQL', 'Person_Id'), ...answerFields('PQL')]

const ACCOUNT: readonly PackageField[] = [
  ...scoreFields('PQA', 'Account_Id'),
  ...answerFields('PQA'),
  ...(
    [
      ['Active_Users', 'active users', number(6), 'People with core work on enough days.'],
      ['Qualified_Users', 'qualified users', number(6), 'People who are qualified themselves.'],
      ['Champion', 'champion', text(255), 'Whom to call first.'],
      ['Others', 'others', long(4000, 4), 'Who else is active, best first.'],
      ['Domain', 'domain', text(255), 'Registrable domain of the company, for matching.'],
    ] as const
  ).map(
    ([name, words, kind, help]): PackageField => ({
      name: `PQA_${name}__c`,
      label: `PQA ${words}`,
      help,
      kind,
      writer: 'ripen',
    }),
  ),
]

/**
 * Leads and contacts hold the same fields, so that a conversion carries each to its namesake. A task is
 * looked up by `PQL_Key__c` before it is created; whether such a field of activities may be an external
 * id is not settled, so it is plain text.
 */
export const PACKAGE_FIELDS: Readonly<Record<PackageObject, readonly PackageField[]>> = {
  Lead: PERSON,
  Contact: PERSON,
  Account: ACCOUNT,
  Activity: [
    {
      name: 'PQL_Key__c',
      label: 'PQL key',
      help: 'Names the episode that the task is about; do not edit.',
      kind: text(80),
      writer: 'ripen',
    },
  ],
}
