/** Worker processes, and the CPU time of a process with all its descendants. */
import { type ChildProcess, fork } from 'node:child_process'
import { on, once } from 'node:events'
import { readFileSync, readdirSync } from 'node:fs'
import { join } from 'node:path'

export interface Worker {
  readonly pid: number
  send(message: string | object): void
  /** The next message, in order. @throws when the process ends without one */
  answer(): Promise<unknown>
  kill(): void
  /** Resolves when the process is gone. */
  gone: Promise<unknown>
}

const alive = new Set<ChildProcess>()
process.once('exit', () => alive.forEach((child) => child.kill('SIGKILL')))

export function startWorker(
  name: 'contender' | 'successor' | 'asker',
  args: string[],
  env: NodeJS.ProcessEnv = process.env,
): Worker {
  const child = fork(join(import.meta.dirname, `workers/${name}.js`), args, { env })
  alive.add(child)
  const gone = once(child, 'exit').then(() => alive.delete(child))
  // 'exit' may come before the last message, 'disconnect' does not.
  const messages = on(child, 'message', { close: ['disconnect'] })
  return {
    pid: child.pid!,
    send: (message) => void child.send(message),
    async answer() {
      const { value, done } = (await messages.next()) as IteratorResult<[unknown]>
      if (done) throw new Error(`A worker ended without an answer: ${args.join(' ')}`)
      return value[0]
    },
    kill: () => void child.kill('SIGKILL'),
    gone,
  }
}

/** The next answer of each. */
export function allAnswers(workers: readonly Worker[]): Promise<unknown[]> {
  return Promise.all(workers.map((worker) => worker.answer()))
}

/** CPU seconds of living processes and their living descendants: /proc/PID/task/TID/schedstat, in nanoseconds. */
export function cpuSecondsOfTree(roots: number[]): number {
  const parents = new Map<number, number>()
  for (const name of readdirSync('/proc').filter((entry) => /^\d+$/.test(entry))) {
    const stat = readOrEmpty(`/proc/${name}/stat`)
    parents.set(Number(name), Number(stat.slice(stat.lastIndexOf(')') + 2).split(' ')[1]))
  }
  const isBelow = (pid: number): boolean => {
    for (let at: number | undefined = pid; at; at = parents.get(at)) if (roots.includes(at)) return true
    return false
  }
  return [...parents.keys()].filter(isBelow).reduce((sum, pid) => sum + cpuSecondsOf(pid), 0)
}

function cpuSecondsOf(pid: number): number {
  let tasks: string[] = []
  try {
    tasks = readdirSync(`/proc/${pid}/task`)
  } catch {
    // It has just ended.
  }
  return tasks.reduce((sum, task) => {
    const [nanoseconds = '0'] = readOrEmpty(`/proc/${pid}/task/${task}/schedstat`).split(' ')
    return sum + Number(nanoseconds) / 1e9
  }, 0)
}

function readOrEmpty(path: string): string {
  try {
    return readFileSync(path, 'utf8')
  } catch {
    return ''
  }
}
