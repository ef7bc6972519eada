/** Workers that start together, get ready, and stay until all are: as engines that serve do. */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import type { Readable } from 'node:stream'

/** The line that every program of test/programs prints once it has compiled. */
export interface WorkerReport {
  version: string
  hits: number
  misses: number
  errors: string[]
  checksum: string
}

export interface Round {
  /** From the first start until the last worker was ready. */
  wallSeconds: number
  /** Of the workers, their compilers and, where there are any, their wrappers, from start to end. */
  cpuSeconds: number
  reports: WorkerReport[]
}

export interface Start {
  command: readonly string[]
  env: Record<string, string>
}

/** The worker's program, and when that has ended well, somebody who waits in its place for the end of stdin. */
const THEN_STAY = ['sh', '-c', '"$@" || exit; read -r _; exit 0', 'sh']
/** POSIX: the second line of `times` is the time of all children that were waited for, and of theirs. */
const THEN_TELL_TIMES = ['sh', '-c', '"$@"; times >&3', 'sh']

export async function runTogether(
  count: number,
  wrapper: readonly string[],
  startOf: (n: number) => Start,
): Promise<Round> {
  const started = performance.now()
  const workers = Array.from({ length: count }, (_, n) => startWorker(wrapper, startOf(n)))
  const reports = await Promise.all(workers.map(({ ready }) => ready))
  const wallSeconds = (performance.now() - started) / 1000
  for (const { leave } of workers) leave()
  const times = await Promise.all(workers.map(({ cpuSeconds }) => cpuSeconds))
  return { wallSeconds, cpuSeconds: times.reduce((sum, seconds) => sum + seconds, 0), reports }
}

interface Worker {
  ready: Promise<WorkerReport>
  leave: () => void
  cpuSeconds: Promise<number>
}

function startWorker(wrapper: readonly string[], { command, env }: Start): Worker {
  const [program, ...args] = [...THEN_TELL_TIMES, ...wrapper, ...THEN_STAY, ...command]
  const child = spawn(program!, args, {
    env: { ...process.env, ...env },
    stdio: ['pipe', 'pipe', 'pipe', 'pipe'],
  })
  const [said, complaints, times] = [child.stdout, child.stderr, child.stdio[3]].map(textOf)
  const closed = once(child, 'close')
  const ready = new Promise<WorkerReport>((resolve) => {
    child.stdout.on('data', () => {
      const line = said!().match(/^\{.*\n/m)
      if (line) resolve(JSON.parse(line[0]) as WorkerReport)
    })
    void closed.then(() => resolve(noReport(complaints!())))
  })
  return {
    ready,
    leave: () => void child.stdin.end(),
    cpuSeconds: closed.then(() => secondsIn(times!().split('\n')[1] ?? '')),
  }
}

function textOf(stream: unknown): () => string {
  let text = ''
  ;(stream as Readable).on('data', (more: Buffer) => (text += String(more)))
  return () => text
}

function noReport(complaints: string): WorkerReport {
  return { version: '', hits: 0, misses: 0, errors: [`no report: ${complaints.slice(-300)}`], checksum: '' }
}

/** `1m2.5s 0m0.25s`: user and system. */
function secondsIn(line: string): number {
  return [...line.matchAll(/(\d+)m([\d.]+)s/g)].reduce(
    (sum, [, minutes, seconds]) => sum + Number(minutes) * 60 + Number(seconds),
    0,
  )
}
