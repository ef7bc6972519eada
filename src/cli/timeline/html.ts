/** The timeline as a page: the picture, and what it cannot say in a table. Nothing is loaded, and nothing runs. */
import { formatSpan } from './axis.js'
import { fateOf, notesOf, summaryOf } from './describe.js'
import { Markup, xml } from './markup.js'
import type { Picture, Process, Row } from './picture.js'
import { svgOf } from './svg.js'

const PAGE_STYLE = `
  :root { color-scheme: light dark }
  body { font: 14px/1.45 system-ui, -apple-system, 'Segoe UI', sans-serif; max-width: 880px; margin: 2rem auto; padding: 0 1rem; color: #1f2328; background: #fff }
  svg { max-width: 100%; height: auto }
  table { border-collapse: collapse; width: 100%; margin-top: 1.5rem }
  th, td { text-align: left; vertical-align: top; padding: .35rem .6rem; border-bottom: 1px solid #d8dee4 }
  td.number, th.number { text-align: right; font-variant-numeric: tabular-nums; white-space: nowrap }
  code { font: 12px ui-monospace, monospace; overflow-wrap: anywhere }
  p { color: #656d76 }
  @media (prefers-color-scheme: dark) { body { color: #e6edf3; background: #010409 } th, td { border-color: #30363d } p { color: #8d96a0 } }
`

export function htmlPage(picture: Picture): string {
  const began = new Date(picture.from).toISOString()
  return `<!doctype html>
${
  xml`<html lang="en">
<head>
<meta charset="utf-8"/>
<meta name="viewport" content="width=device-width, initial-scale=1"/>
<title>${summaryOf(picture)}</title>
<style>${new Markup(PAGE_STYLE)}</style>
</head>
<body>
${svgOf(picture)}
<p>Begins at ${began}. Point at a bar to see what it was.</p>
${notesOf(picture).map((note) => xml`<p>${note}</p>`)}
<table>
<thead><tr><th>worker</th><th class="number">pid</th><th>host</th><th class="number">began</th><th class="number">took</th><th>outcome</th><th>command</th></tr></thead>
<tbody>
${picture.rows.flatMap((row) => row.processes.map((process) => tableRow(row, process, picture.from)))}
</tbody>
</table>
</body>
</html>`.text
}
`
}

function tableRow({ label }: Row, process: Process, begin: number): Markup {
  const { worker, from, to, command, troubles } = process.lane
  const told = [fateOf(process), ...troubles].filter((text) => text !== '')
  return xml`<tr><td>${label}</td><td class="number">${worker.pid}</td><td>${worker.host}</td><td class="number">${formatSpan(from - begin)}</td><td class="number">${formatSpan(to - from)}</td><td>${told.join('; ')}</td><td><code>${command}</code></td></tr>`
}
