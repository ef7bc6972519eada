import { writeFileSync } from 'node:fs'
import { format, resolveConfig } from 'prettier'
const { safeguardsPage, SAFEGUARDS_PAGE } = await import('/work/main/.build/proof/safeguards/page.js')
const o = { ...(await resolveConfig(SAFEGUARDS_PAGE)), parser: 'markdown' }
writeFileSync(SAFEGUARDS_PAGE, await format(safeguardsPage(), o))
