/** bench/results/: latest.json is measured, all else is made of it. */
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { asMarkdown } from './page.js'
import { picturesOf } from './plots/pictures.js'
import type { Report } from './report.js'

/** From `.build/bench`. */
const REPOSITORY = join(import.meta.dirname, '../..')
const LATEST = join(REPOSITORY, 'bench/results/latest.json')

export function keepResults(report: Report, file = LATEST): void {
  writeFileSync(file, `${JSON.stringify(report, null, 1)}\n`)
}

/** Returns what was written. */
export function drawResults(file = LATEST, into = REPOSITORY): string[] {
  const report = JSON.parse(readFileSync(file, 'utf8')) as Report
  const pictures = picturesOf(report)
  const page = { file: 'bench/results/README.md', text: asMarkdown(report, pictures) }
  const written = [page, ...pictures].map(({ file: name, text }) => ({ path: join(into, name), text }))
  for (const { path, text } of written) {
    mkdirSync(join(path, '..'), { recursive: true })
    writeFileSync(path, text)
  }
  return written.map(({ path }) => path)
}
