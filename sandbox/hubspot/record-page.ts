import { html, type Markup } from '../html.ts'
import { associationType } from './association-endpoints.ts'
import { OBJECT_TYPES, type ObjectType } from './object-types.ts'
import { layout } from './page-layout.ts'
import type { PortalState } from './portal-state.ts'
import { ownerName, recordLink, recordName } from './record-columns.ts'
import type { StoredRecord } from './stored-record.ts'
import { readable, readableTime } from './value-format.ts'

/** Everything about one record: its values, how they came about, and its associations. */
export function recordPage(state: PortalState, type: ObjectType, record: StoredRecord): string {
  const { properties } = record
  const name = recordName(properties) ?? record.id
  const content = html`<section class="plain${record.archivedAt !== null && ' gone'}">
<h2>${name}</h2>
<p class="soft">${OBJECT_TYPES[type].singular} ${record.id}, created ${readableTime(record.createdAt)}, modified ${readableTime(record.updatedAt)}${
    record.archivedAt !== null && html`, archived ${readableTime(record.archivedAt)}`
  } (UTC) · <a href="/?object=${type}">all ${OBJECT_TYPES[type].plural.toLowerCase()}</a></p>
</section>
${associations(state, type, record)}
${values(state, type, record)}
${changes(state, type, record)}`
  return layout(name, content)
}

function associations(state: PortalState, type: ObjectType, record: StoredRecord): Markup {
  const found = state.associations.of({ type, id: record.id })
  return html`<section class="plain"><h2>Associations</h2>
${found.length === 0 && html`<p class="soft">None.</p>`}
<table><tbody>${found.map(
    ({ to, typeId }) =>
      html`<tr><td>${recordLink(state, to.type, to.id)}</td><td>${OBJECT_TYPES[to.type].singular} ${to.id}</td><td><code>${associationType(type, to.type, typeId)} (${typeId})</code></td></tr>
`,
  )}</tbody></table></section>`
}

function values(state: PortalState, type: ObjectType, record: StoredRecord): Markup {
  const rows = Object.entries(record.properties).sort(
    ([a], [b]) => rank(a) - rank(b) || (a < b ? -1 : 1),
  )
  return html`<section class="plain"><h2>Properties</h2>
<table><thead><tr><th>Property</th><th>Value</th><th>Changes</th></tr></thead><tbody>${rows.map(
    ([
      name,
    ]) => html`<tr><td>${label(state, type, name)}</td><td class="text">${shown(state, type, name, record.properties[name])}</td><td class="number">${record.history[name]?.length ?? ''}</td></tr>
`,
  )}</tbody></table></section>`
}

/** The product's own properties first, then those that people wrote. */
function rank(name: string): number {
  if (/^pq[la]_/.test(name)) return 0
  return name.startsWith('hs_') && !name.startsWith('hs_task') ? 2 : 1
}

function changes(state: PortalState, type: ObjectType, record: StoredRecord): Markup {
  const all = Object.entries(record.history)
    .flatMap(([name, list]) => list.map((change) => ({ name, change })))
    .sort((a, b) => b.change.at - a.change.at)
  return html`<section class="plain"><h2>History</h2>
<table><thead><tr><th>When (UTC)</th><th>Property</th><th>Old</th><th>New</th><th>Source</th></tr></thead><tbody>${all.map(
    ({
      name,
      change,
    }) => html`<tr><td class="time">${readableTime(change.at)}</td><td>${label(state, type, name)}</td>
<td class="old">${shown(state, type, name, change.from || undefined)}</td><td class="text">${shown(state, type, name, change.to || undefined)}</td><td><code>${change.source}</code></td></tr>
`,
  )}</tbody></table></section>`
}

function label(state: PortalState, type: ObjectType, name: string): Markup {
  const definition = state.properties(type).get(name)
  return html`${definition?.label ?? name} <code>${name}</code>`
}

function shown(
  state: PortalState,
  type: ObjectType,
  name: string,
  value: string | undefined,
): string {
  if (name === 'hubspot_owner_id' && value !== undefined) {
    return `${ownerName(state, value)} (${value})`
  }
  return readable(state.properties(type).get(name), value)
}
