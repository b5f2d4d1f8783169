import type { CallLog } from '../call-log.ts'
import { html, type Markup } from '../html.ts'
import { callSummary } from './call-summary.ts'
import { OBJECT_TYPE_NAMES, OBJECT_TYPES, type ObjectType } from './object-types.ts'
import { layout } from './page-layout.ts'
import type { PortalState } from './portal-state.ts'
import { type RecordColumn, recordColumns } from './record-columns.ts'
import type { SandboxCall } from './sandbox-call.ts'
import { sortKey } from './search-match.ts'
import type { StoredRecord } from './stored-record.ts'

const PAGE_SIZE = 50

/** What a person chose to see. */
export interface ListView {
  readonly type: ObjectType
  readonly query: string
  readonly sort: string
  readonly descending: boolean
  /** Counted from 1. */
  readonly page: number
}

/** The page of one type's records, with the calls that were made below. */
export function listPage(state: PortalState, calls: CallLog<SandboxCall>, view: ListView): string {
  const columns = recordColumns(state, view.type)
  const found = sortedRecords(state, columns, view)
  const start = (view.page - 1) * PAGE_SIZE
  const shown = found.slice(start, start + PAGE_SIZE)
  const content = html`${tabs(state, view.type)}
<section>
<form action="/" method="get" role="search">
<input type="hidden" name="object" value="${view.type}">
<input type="search" name="q" value="${view.query}" placeholder="Search ${OBJECT_TYPES[view.type].plural.toLowerCase()}" aria-label="Search">
<button>Search</button>
</form>
<div class="scroll list">${shown.length === 0 ? html`<p class="soft">No records.</p>` : table(columns, shown, view)}</div>
${pages(view, found.length)}
</section>
${callSummary(calls.list())}`
  return layout(OBJECT_TYPES[view.type].plural, content)
}

function sortedRecords(
  state: PortalState,
  columns: readonly RecordColumn[],
  view: ListView,
): StoredRecord[] {
  const wanted = view.query.trim().toLowerCase()
  const names = ['hs_object_id', ...columns.flatMap(({ property }) => property?.name ?? [])]
  const records = [...state.table(view.type).records.values()].filter(
    ({ properties }) =>
      wanted === '' || names.some((name) => properties[name]?.toLowerCase().includes(wanted)),
  )
  const property = columns.find((column) => column.property?.name === view.sort)?.property
  if (property === undefined) return view.descending ? records.reverse() : records
  const sign = view.descending ? -1 : 1
  return records
    .map((record) => ({ record, key: sortKey(property, record.properties[property.name]) }))
    .sort((a, b) => (a.key < b.key ? -sign : a.key > b.key ? sign : 0))
    .map(({ record }) => record)
}

const isAlwaysShown = (type: ObjectType): boolean =>
  type === 'contacts' || type === 'companies' || type === 'tasks'

function tabs(state: PortalState, current: ObjectType): Markup {
  const shown = OBJECT_TYPE_NAMES.filter(
    (type) => isAlwaysShown(type) || state.table(type).records.size > 0,
  )
  return html`<nav>${shown.map((type) => {
    const count = state.table(type).records.size.toLocaleString('en')
    const mark = type === current && html` aria-current="page"`
    return html`<a href="/?object=${type}"${mark}>${OBJECT_TYPES[type].plural} <span class="badge">${count}</span></a>`
  })}</nav>`
}

function table(
  columns: readonly RecordColumn[],
  records: readonly StoredRecord[],
  view: ListView,
): Markup {
  return html`<table>
<thead><tr>${columns.map((column) => heading(column, view))}</tr></thead>
<tbody>${records.map(
    (record) =>
      html`<tr${record.archivedAt !== null && html` class="gone"`}>${columns.map(
        (column) => html`<td class="${column.className}">${column.cell(record)}</td>`,
      )}</tr>
`,
  )}</tbody>
</table>`
}

function heading({ label, property, className }: RecordColumn, view: ListView): Markup {
  if (property === undefined) return html`<th class="${className}">${label}</th>`
  const isCurrent = view.sort === property.name
  const arrow = isCurrent ? (view.descending ? ' ▼' : ' ▲') : ''
  const descending = isCurrent ? !view.descending : property.type === 'number'
  const href = address({ ...view, sort: property.name, descending, page: 1 })
  return html`<th class="${className}"><a href="${href}">${label}${arrow}</a></th>`
}

function pages(view: ListView, total: number): Markup {
  const last = Math.max(1, Math.ceil(total / PAGE_SIZE))
  const to = (page: number, text: string) =>
    html`<a href="${address({ ...view, page })}">${text}</a>`
  return html`<p class="pages">${view.page > 1 && to(view.page - 1, '← Previous')}
<span class="soft">Page ${view.page} of ${last}, ${total.toLocaleString('en')} ${total === 1 ? 'record' : 'records'}</span>
${view.page < last && to(view.page + 1, 'Next →')}</p>`
}

function address({ type, query, sort, descending, page }: ListView): string {
  const search = new URLSearchParams({ object: type, sort, page: String(page) })
  if (descending) search.set('dir', 'desc')
  if (query !== '') search.set('q', query)
  return `/?${search}`
}
