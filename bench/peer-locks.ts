/** Locks of other languages, each measured inside one long-lived process: its start is nobody's lock time. */
import { type ChildProcessWithoutNullStreams, spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { createInterface } from 'node:readline'

/** From `.build/bench`. */
const PEERS = join(import.meta.dirname, '../../bench/peers')
const PYTHON = process.env['CACHELATCH_BENCH_PYTHON'] ?? 'python3'

export interface PeerLock {
  /** Microseconds a lock + release, over `times` in a row. */
  micros(times: number): Promise<number>
  end(): Promise<void>
}

/** Or why there is none, as all of these. */
export async function startPythonLock(path: string): Promise<PeerLock | string> {
  if (!succeeds([PYTHON, '-c', 'import filelock'])) return `${PYTHON} has no filelock`
  return startPeer([PYTHON, join(PEERS, 'filelock_loop.py'), path])
}

/** Built for this run; its one package comes through the Go proxy. */
export async function startGoLock(dir: string): Promise<PeerLock | string> {
  if (!succeeds(['go', 'version'])) return 'go is not installed'
  const program = join(dir, 'lockedfile')
  const built = spawnSync('go', ['build', '-o', program, '.'], {
    cwd: join(PEERS, 'lockedfile'),
    encoding: 'utf8',
    env: { ...process.env, GOFLAGS: '-mod=readonly', GOTOOLCHAIN: 'local' },
  })
  if (built.status !== 0) return `go build failed: ${built.stderr.trim().split('\n')[0] ?? ''}`
  return startPeer([program, join(dir, 'go.lock')])
}

function succeeds([program = '', ...args]: string[]): boolean {
  return spawnSync(program, args, { stdio: 'ignore' }).status === 0
}

/** Each line to it is a number of times, each line from it the microseconds of one. */
function startPeer([program = '', ...args]: string[]): PeerLock {
  const child = spawn(program, args, {
    stdio: ['pipe', 'pipe', 'inherit'],
  }) as never as ChildProcessWithoutNullStreams
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
