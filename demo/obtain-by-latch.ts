/** The same worker with cachelatch: one of them compiles, all of them get the same immutable directory. */
import { openCache } from 'cachelatch'
import { compileKey, compileModel } from './compiler.js'
import { readModel } from './load.js'
import type { Tell } from './messages.js'
import type { Obtained } from './ways.js'

export async function obtainByLatch(root: string, tell: Tell): Promise<Obtained> {
  tell({ is: 'phase', phase: 'waiting' })
  const cache = await openCache(root)
  const entry = await cache.getOrCompile(
    await compileKey(),
    async ({ dir, signal }) => {
      tell({ is: 'compile', step: 'started' })
      tell({ is: 'phase', phase: 'compiling' })
      await compileModel(dir, (step, name) => tell({ is: 'layer', step, name }), signal)
      tell({ is: 'compile', step: 'finished' })
    },
    { onWait: ({ owner, waitedMs }) => tell({ is: 'told-to-wait', ownerPid: owner?.pid ?? null, waitedMs }) },
  )
  tell({ is: 'phase', phase: 'loading' })
  return { kernels: await readModel(entry.path), outcome: entry.outcome, release: () => entry.release() }
}
