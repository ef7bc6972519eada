/** `npm run terminal`: the demo, run for real in a terminal; docs/pictures/terminal.svg. */
import { writeFileSync } from 'node:fs'
import { cpus } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { record } from './terminal/record.js'
import { rowsOf } from './terminal/screen.js'
import { terminalSvg } from './terminal/svg.js'

/** From `.build/docs`. */
const REPOSITORY = join(import.meta.dirname, '../..')
const SIZE = { columns: 104, rows: 60 }
const PROMPT = '\u001B[1;32m$\u001B[0m '

const { values } = parseArgs({
  options: {
    workers: { type: 'string', default: '8' },
    into: { type: 'string', default: join(REPOSITORY, 'docs/pictures/terminal.svg') },
  },
})

const args = ['--way', '2', '--way', '3', '--way', '4', '--workers', values.workers]
// What `npm run demo` runs when it has built everything.
const printed = await record(`node .build/demo/main.js ${args.join(' ')}`, SIZE, REPOSITORY)
const typed = { atMs: 0, text: `${PROMPT}\u001B[1mnpm run demo -- ${args.join(' ')}\u001B[0m\r\n` }
const [processor] = cpus()
const svg = terminalSvg(rowsOf([typed, ...printed], SIZE.columns), {
  title: `The demo: ${values.workers} workers, a real compiler`,
  note: `${processor?.model ?? 'unknown CPU'}, ${cpus().length} cores; pauses are cut short`,
  columns: SIZE.columns,
})
writeFileSync(values.into, svg)
