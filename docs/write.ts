/** `npm run docs`: writes what is made from the code. */
import { writeFileSync } from 'node:fs'
import { format, resolveConfig } from 'prettier'
import { MANUAL, manual } from './manual.js'

writeFileSync(MANUAL, await format(await manual(), { ...(await resolveConfig(MANUAL)), parser: 'markdown' }))
