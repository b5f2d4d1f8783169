import express, { type Request, type Response, type Router } from 'express'
import { html, type Markup } from '../../html.ts'
import { type PageFrame, pageOf } from '../../page-layout.ts'
import type { Value } from '../field-definition.ts'
import { ORG_ID } from '../org-state.ts'
import type { SalesforceSandbox, SandboxRecord } from '../salesforce-sandbox.ts'
import { firstValues } from '../stored-row.ts'
import { callTable } from './call-summary.ts'

const PAGE_SIZE = 50
const FRAME: PageFrame = {
  name: 'Salesforce stand-in',
  home: '/sandbox',
  note: `Org ${ORG_ID}. Nothing here reaches Salesforce; these are the records that were written to it.`,
}
const SHOWN = ['Lead', 'Contact', 'Account', 'Opportunity', 'Task', 'Event', 'User'] as const

/** What stands in the list of each object, besides every custom field that is filled. */
const COLUMNS: Readonly<Record<(typeof SHOWN)[number], readonly string[]>> = {
  Lead: ['Name', 'Company', 'Email', 'Status', 'OwnerId'],
  Contact: ['Name', 'Email', 'AccountId', 'OwnerId'],
  Account: ['Name', 'Website', 'Industry', 'OwnerId'],
  Opportunity: ['Name', 'StageName', 'Amount', 'CloseDate', 'AccountId'],
  Task: ['Subject', 'Status', 'ActivityDate', 'WhoId', 'WhatId', 'OwnerId'],
  Event: ['Subject', 'StartDateTime', 'WhoId', 'WhatId'],
  User: ['Name', 'Username', 'IsActive'],
}

/** Pages for people. None of them needs a token. */
export function pageRouter(sandbox: SalesforceSandbox): Router {
  const router = express.Router()
  router.get('/', (req, res) => {
    const object = SHOWN.find((one) => one === req.query['object']) ?? 'Lead'
    sendPage(res, pageOf(FRAME, object, listOf(sandbox, object, req)))
  })
  router.get('/view/:id', (req, res) => {
    const record = sandbox.record(String(req.params['id']))
    if (record === undefined) res.status(404).type('text').send('No such record.')
    else sendPage(res, pageOf(FRAME, nameOf(record), recordView(sandbox, record)))
  })
  return router
}

function listOf(sandbox: SalesforceSandbox, object: (typeof SHOWN)[number], req: Request): Markup {
  const wanted = String(req.query['q'] ?? '').toLowerCase()
  const all = sandbox.records(object)
  const found = all
    .filter(({ values }) => wanted === '' || JSON.stringify(values).toLowerCase().includes(wanted))
    .reverse()
  const page = Math.max(1, Math.trunc(Number(req.query['page'])) || 1)
  const shown = found.slice((page - 1) * PAGE_SIZE, page * PAGE_SIZE)
  const custom = new Set(shown.flatMap(({ values }) => Object.keys(values).filter(isCustom)))
  const columns = [...COLUMNS[object], ...custom]
  const href = (to: number) =>
    `/sandbox?${new URLSearchParams({ object, q: wanted, page: String(to) })}`
  return html`<nav>${SHOWN.map((one) => {
    const mark = one === object && html` aria-current="page"`
    const count = sandbox.count(one).toLocaleString('en')
    return html`<a href="/sandbox?object=${one}"${mark}>${one} <span class="badge">${count}</span></a>`
  })}</nav>
<section>
<form action="/sandbox" method="get" role="search">
<input type="hidden" name="object" value="${object}">
<input type="search" name="q" value="${wanted}" placeholder="Search" aria-label="Search">
<button>Search</button>
</form>
<div class="scroll list">${
    shown.length === 0
      ? html`<p class="soft">No records.</p>`
      : html`<table><thead><tr><th>Id</th>${columns.map((name) => html`<th>${name}</th>`)}</tr></thead>
<tbody>${shown.map((record) => rowOf(sandbox, record, columns))}</tbody></table>`
  }</div>
<p class="pages">${page > 1 && html`<a href="${href(page - 1)}">← Previous</a>`}
<span class="soft">${found.length.toLocaleString('en')} of ${all.length.toLocaleString('en')}</span>
${page * PAGE_SIZE < found.length && html`<a href="${href(page + 1)}">Next →</a>`}</p>
</section>
${callTable(sandbox.calls())}`
}

function rowOf(
  sandbox: SalesforceSandbox,
  { id, values, deleted }: SandboxRecord,
  columns: readonly string[],
): Markup {
  return html`<tr${deleted && html` class="gone"`}><td class="id">${linkTo(id, id)}</td>${columns.map(
    (name) => html`<td>${shownValue(sandbox, values[name] ?? null)}</td>`,
  )}</tr>
`
}

function recordView(sandbox: SalesforceSandbox, record: SandboxRecord): Markup {
  const fields = Object.entries(record.values)
    .filter(([, value]) => value !== null && value !== '')
    .sort(([a], [b]) => (a < b ? -1 : 1))
  const first = Object.entries(firstValues(record)).filter(([, value]) => value !== null)
  return html`<section class="plain"><h2>${nameOf(record)}${
    record.deleted && html` <span class="badge">deleted</span>`
  }</h2>
<div class="scroll"><table><tbody>${fields.map(
    ([name, value]) =>
      html`<tr><th>${name}</th><td class="text">${shownValue(sandbox, value)}</td></tr>
`,
  )}</tbody></table></div></section>
<section class="plain"><h2>Over time</h2>
<div class="scroll"><table><thead><tr><th>When (UTC)</th><th>What</th><th>Who</th><th>Through</th><th>Changes</th></tr></thead>
<tbody>${[...record.history].reverse().map((version) => {
    const changes = Object.entries(version.changes)
    return html`<tr><td class="time">${new Date(version.at).toISOString().slice(0, 19).replace('T', ' ')}</td>
<td>${version.what}</td><td>${shownValue(sandbox, version.by)}</td><td>${version.channel}${version.client && html` (${version.client})`}</td>
<td>${
      version.what === 'create'
        ? html`<span class="soft">${first.length} fields</span>`
        : changes.map(
            ([name, [from, to]]) =>
              html`<div><code>${name}</code> <span class="old">${textOf(from)}</span> ${textOf(to)}</div>`,
          )
    }</td></tr>
`
  })}</tbody></table></div></section>`
}

function shownValue(sandbox: SalesforceSandbox, value: Value): Markup | string {
  const record =
    typeof value === 'string' && value.length === 18 ? sandbox.record(value) : undefined
  return record === undefined ? textOf(value) : linkTo(record.id, nameOf(record))
}

function linkTo(id: string, text: string): Markup {
  return html`<a href="/sandbox/view/${id}">${text}</a>`
}

function nameOf({ id, values }: SandboxRecord): string {
  return String(values['Name'] ?? values['Subject'] ?? id)
}

function textOf(value: Value): string {
  return value === null ? '' : String(value)
}

function isCustom(name: string): boolean {
  return name.endsWith('__c')
}

function sendPage(res: Response, page: string): void {
  res.setHeader(
    'content-security-policy',
    "default-src 'none'; style-src 'unsafe-inline'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'",
  )
  res.setHeader('x-content-type-options', 'nosniff')
  res.type('html').send(page)
}
