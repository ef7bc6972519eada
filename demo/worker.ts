/** One worker process: waits for the barrier, obtains the compiled model in its way, runs and checks it. */
import { once } from 'node:events'
import { CorruptFile, runAndCheck, WrongNumbers } from './load.js'
import { withMeasures } from './messages.js'
import type { WorkerEvent } from './messages.js'
import { WAYS } from './ways.js'
import type { Way } from './ways.js'

const [way, root] = process.argv.slice(2) as [string, string]

// A worker whose supervisor is gone has nobody to be ready for.
process.once('disconnect', () => process.exit(1))
await work()

async function work(): Promise<void> {
  const obtain = await WAYS[Number(way) as Way].obtain()
  const released = once(process, 'message')
  tell({ is: 'prepared' })
  await released
  try {
    const { kernels, outcome, release } = await obtain(root, tell)
    const digest = await runAndCheck(kernels)
    tell({ is: 'phase', phase: 'ready' })
    tell({ is: 'ready', outcome, digest })
    await release()
    leave({ is: 'done' })
  } catch (error) {
    process.exitCode = 1
    leave({
      is: 'failed',
      kind: kindOf(error),
      message: error instanceof Error ? error.message : String(error),
    })
  }
}

function tell(event: WorkerEvent): void {
  process.send?.(withMeasures(event))
}

/** Ends by itself once the last word is out: nothing that was obtained may keep a worker's process alive. */
function leave(event: WorkerEvent): void {
  process.removeAllListeners('disconnect')
  process.send?.(withMeasures(event), () => process.disconnect())
}

function kindOf(error: unknown): string {
  if (error instanceof WrongNumbers) return 'wrong numbers'
  if (error instanceof CorruptFile || error instanceof SyntaxError) return 'corrupt file'
  if (!(error instanceof Error)) return 'error'
  if (!('code' in error)) return error.name === 'CompileError' ? 'corrupt file' : error.name
  return error.code === 'ENOENT' ? 'FileNotFoundError/ENOENT' : `${error.name}/${String(error.code)}`
}
