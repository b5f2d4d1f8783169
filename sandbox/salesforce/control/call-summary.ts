import { html, type Markup } from '../../html.ts'
import type { SandboxCall } from '../api/sandbox-call.ts'

export interface RouteSummary {
  readonly method: string
  readonly route: string
  readonly kind: string
  calls: number
  inputs: number
  refused: number
  broken: number
  lastAt: number
}

/** Calls added up by method and route, the most frequent first. */
export function summarizeCalls(calls: readonly SandboxCall[]): RouteSummary[] {
  const routes = new Map<string, RouteSummary>()
  for (const { method, route, kind, status, inputs, at } of calls) {
    const key = `${method} ${route}`
    const shown = route.replace(/:(\w+)/g, '{$1}')
    const start = { calls: 0, inputs: 0, refused: 0, broken: 0, lastAt: 0 }
    const sum = routes.get(key) ?? { method, route: shown, kind, ...start }
    routes.set(key, sum)
    sum.calls++
    sum.inputs += inputs
    if (status >= 400) sum.refused++
    if (status === 0) sum.broken++
    sum.lastAt = at
  }
  return [...routes.values()].sort((a, b) => b.calls - a.calls)
}

/** A table of the calls so far. */
export function callTable(calls: readonly SandboxCall[]): Markup {
  return html`<section class="plain">
<h2>API calls <span class="badge">${calls.length.toLocaleString('en')}</span></h2>
<div class="scroll"><table>
<thead><tr><th>Call</th><th>Kind</th><th class="number">Calls</th><th class="number">Records</th><th class="number">Refused</th><th class="number">Broken off</th><th>Last (UTC)</th></tr></thead>
<tbody>${summarizeCalls(calls).map(
    (route) => html`<tr><td>${route.method} ${route.route}</td><td>${route.kind}</td>
<td class="number">${route.calls}</td><td class="number">${route.inputs}</td>
<td class="number">${route.refused}</td><td class="number">${route.broken}</td>
<td class="time">${new Date(route.lastAt).toISOString().slice(0, 19).replace('T', ' ')}</td></tr>
`,
  )}</tbody>
</table></div>
</section>`
}
