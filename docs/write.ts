/** `npm run docs`: writes what is made from the code. */
import { writeFileSync } from 'node:fs'
import { format, resolveConfig } from 'prettier'
import { MANUAL, manual } from './manual.js'
import { PRESETS_PAGE, presetsPage } from './presets.js'

for (const [file, text] of [
  [MANUAL, await manual()],
  [PRESETS_PAGE, presetsPage()],
] as const)
  writeFileSync(file, await format(text, { ...(await resolveConfig(file)), parser: 'markdown' }))
