/** What `cachelatch once` does where there is no entry yet. A file of its own: a hit does not load what it needs. */
import type { Key } from '../core/key.js'
import { openCache } from '../latch/cache.js'
import type { Entry } from '../latch/entry.js'
import { runTold } from './told-child.js'

/** CMD ended badly: its exit code is ours, and nothing needs to be said. */
class CommandFailed extends Error {
  constructor(readonly exitCode: number) {
    super(`the command ended with exit code ${exitCode}`)
  }
}

export interface Settings {
  root: string
  strict: boolean
  timeoutMs: number | undefined
}

/** The entry, or the exit code of a command that failed. */
export async function compileByCommand(
  child: string[],
  key: Key,
  { root, strict, timeoutMs }: Settings,
): Promise<Entry | { exitCode: number }> {
  try {
    const cache = await openCache(root, { strict })
    return await cache.getOrCompile(key, ({ dir }) => fill(child, dir), { timeoutMs, keepPrivate: true })
  } catch (error) {
    if (error instanceof CommandFailed) return { exitCode: error.exitCode }
    throw error
  }
}

async function fill(child: string[], dir: string): Promise<void> {
  const filled = child.map((argument) => argument.replaceAll('{stage}', dir))
  const exitCode = await runTold(filled, { env: { CACHELATCH_STAGE: dir }, stdout: 'stderr' })
  if (exitCode !== 0) throw new CommandFailed(exitCode)
}
