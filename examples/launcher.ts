/** A launcher: starts all workers at once, on one cache directory. Nobody needs to go first. */
import { fork } from 'node:child_process'
import { once } from 'node:events'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

const [count = '4', directory = join(tmpdir(), 'cachelatch-example')] = process.argv.slice(2)
const program = fileURLToPath(new URL('worker.js', import.meta.url))

const codes = await Promise.all(
  Array.from({ length: Number(count) }, async (): Promise<number> => {
    const worker = fork(program, [directory])
    const [code] = (await once(worker, 'exit')) as [number | null]
    return code ?? 1 // null: ended by a signal
  }),
)
process.exitCode = Math.max(0, ...codes)
