import { html, Markup } from './html.ts'

const style = `
:root { --ink: #1f2d3d; --soft: #5b6b7c; --line: #dfe5eb; --tint: #f5f8fa; --accent: #c4411c; --link: #0b5c86; }
* { box-sizing: border-box; }
body { margin: 0; font: 14px/1.5 system-ui, -apple-system, "Segoe UI", sans-serif; color: var(--ink); background: var(--tint); }
header { background: #fff; border-bottom: 3px solid var(--accent); padding: 14px 24px; display: flex; gap: 16px; align-items: baseline; flex-wrap: wrap; }
header h1 { font-size: 18px; margin: 0; } header h1 a { color: inherit; }
header p { margin: 0; color: var(--soft); }
main { padding: 20px 24px; max-width: 1500px; margin: 0 auto; }
a { color: var(--link); text-decoration: none; } a:hover, a:focus { text-decoration: underline; }
nav { display: flex; gap: 4px; flex-wrap: wrap; margin-bottom: -1px; }
nav a { padding: 8px 16px; border: 1px solid var(--line); border-radius: 6px 6px 0 0; background: #eaf0f6; color: var(--ink); }
nav a[aria-current] { background: #fff; border-bottom-color: #fff; font-weight: 600; }
section { background: #fff; border: 1px solid var(--line); border-radius: 0 6px 6px 6px; padding: 16px; margin-bottom: 24px; }
section.plain { border-radius: 6px; } h2 { font-size: 16px; margin: 0 0 10px; }
.scroll { overflow-x: auto; }
table { border-collapse: collapse; width: 100%; } th, td { text-align: left; vertical-align: top; padding: 7px 10px; border-bottom: 1px solid var(--line); }
th { white-space: nowrap; font-weight: 600; background: var(--tint); } th a { color: inherit; }
td { max-width: 520px; overflow-wrap: break-word; } .list td { white-space: nowrap; overflow: hidden; text-overflow: ellipsis; } td.number, th.number { text-align: right; font-variant-numeric: tabular-nums; }
td.id, td.time { white-space: nowrap; } .text, .list .text { white-space: pre-line; min-width: 420px; }
tbody tr:hover { background: #fbfcfd; } .soft { color: var(--soft); } .old { color: var(--soft); text-decoration: line-through; }
form { display: flex; gap: 8px; margin-bottom: 12px; } input[type=search] { flex: 1; max-width: 420px; padding: 7px 10px; font: inherit; border: 1px solid #b6c3cf; border-radius: 4px; }
button { font: inherit; padding: 7px 16px; border: 0; border-radius: 4px; background: var(--ink); color: #fff; cursor: pointer; }
.pages { display: flex; gap: 14px; align-items: center; margin-top: 12px; } .badge { background: #eaf0f6; border-radius: 10px; padding: 1px 8px; font-size: 12px; }
.gone { background: #fdeceb; } code { font-size: 12px; color: var(--soft); }
`

/** What stands at the top of every page of a stand-in. */
export interface PageFrame {
  /** Such as `HubSpot stand-in`. */
  readonly name: string
  /** Where the name leads. */
  readonly home: string
  readonly note: string
}

/** A whole page; it loads nothing from anywhere. */
export function pageOf(frame: PageFrame, title: string, content: Markup): string {
  const page = html`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>${title} · ${frame.name}</title>
<style>
${new Markup(style)}
</style>
</head>
<body>
<header>
<h1><a href="${frame.home}">${frame.name}</a></h1>
<p>${frame.note}</p>
</header>
<main>
${content}
</main>
</body>
</html>
`
  return page.text
}
