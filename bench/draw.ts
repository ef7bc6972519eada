/** `npm run plots [-- --from FILE --into DIRECTORY]`: the page and every picture, again, from latest.json. */
import { parseArgs } from 'node:util'
import { drawResults } from './results.js'

const { values } = parseArgs({ options: { from: { type: 'string' }, into: { type: 'string' } } })
for (const path of drawResults(values.from, values.into)) process.stdout.write(`${path}\n`)
