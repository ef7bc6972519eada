/** Python's filelock, measured inside one long-lived Python process: its start is nobody's lock time. */
import { type ChildProcessWithoutNullStreams, spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { createInterface } from 'node:readline'

const PYTHON = process.env['CACHELATCH_BENCH_PYTHON'] ?? 'python3'

const PROGRAM = `
import sys, time
from filelock import FileLock
lock = FileLock(sys.argv[1])
for line in sys.stdin:
    times = int(line)
    started = time.perf_counter()
    for _ in range(times):
        with lock:
            pass
    print((time.perf_counter() - started) * 1e6 / times, flush=True)
`

export function hasPythonFilelock(): boolean {
  return spawnSync(PYTHON, ['-c', 'import filelock'], { stdio: 'ignore' }).status === 0
}

export interface PythonLock {
  /** Microseconds a lock + release, over `times` in a row. */
  micros(times: number): Promise<number>
  end(): Promise<void>
}

export function startPythonLock(path: string): PythonLock {
  const child: ChildProcessWithoutNullStreams = spawn(PYTHON, ['-c', PROGRAM, path], {
    stdio: ['pipe', 'pipe', 'inherit'],
  }) as never
  const lines = createInterface(child.stdout)[Symbol.asyncIterator]()
  return {
    async micros(times) {
      child.stdin.write(`${times}\n`)
      return Number((await lines.next()).value)
    },
    async end() {
      child.stdin.end()
      await once(child, 'exit')
    },
  }
}
