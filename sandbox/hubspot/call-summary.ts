import { html, type Markup } from '../html.ts'
import type { SandboxCall } from './sandbox-call.ts'
import { readableTime } from './value-format.ts'

interface RouteSummary {
  readonly method: string
  readonly route: string
  readonly kind: string
  calls: number
  inputs: number
  refused: number
  broken: number
  lastAt: number
}

/** A table of the calls so far, one line for each method and route. */
export function callSummary(calls: readonly SandboxCall[]): Markup {
  const routes = summarize(calls)
  const writes = calls.filter(({ kind }) => kind === 'write').length
  const reads = calls.length - writes
  return html`<section class="plain">
<h2>API calls <span class="badge">${reads.toLocaleString('en')} reads</span> <span class="badge">${writes.toLocaleString('en')} writes</span></h2>
<div class="scroll"><table>
<thead><tr><th>Call</th><th>Kind</th><th class="number">Calls</th><th class="number">Records</th><th class="number">Refused</th><th class="number">Broken off</th><th>Last (UTC)</th></tr></thead>
<tbody>${routes.map(
    (route) => html`<tr><td>${route.method} ${route.route}</td><td>${route.kind}</td>
<td class="number">${route.calls}</td><td class="number">${route.inputs}</td>
<td class="number">${route.refused}</td><td class="number">${route.broken}</td>
<td class="time">${readableTime(route.lastAt)}</td></tr>
`,
  )}</tbody>
</table></div>
</section>`
}

/** Calls added up by method and route, the most frequent first. */
export function summarize(calls: readonly SandboxCall[]): RouteSummary[] {
  const routes = new Map<string, RouteSummary>()
  for (const { method, route, kind, status, inputs, at } of calls) {
    const key = `${method} ${route}`
    const sum = routes.get(key) ?? {
      method,
      route: route.replace(/:(\w+)/g, '{$1}'),
      kind,
      calls: 0,
      inputs: 0,
      refused: 0,
      broken: 0,
      lastAt: 0,
    }
    routes.set(key, sum)
    sum.calls++
    sum.inputs += inputs
    if (status >= 400) sum.refused++
    if (status === 0) sum.broken++
    sum.lastAt = at
  }
  return [...routes.values()].sort((a, b) => b.calls - a.calls)
}
