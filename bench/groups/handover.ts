/** One lock, many processes: how long all takes take, how evenly they are served, and what waiting costs. */
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import type { Context } from '../context.js'
import { summarize } from '../measure.js'
import { allAnswers, cpuSecondsOfTree, startWorker } from '../processes.js'
import { type Figure, type Group, type Row, type Table, atMost, medianOf, rowOf } from '../report.js'
import { quantile, sumOf } from '../statistics.js'
import type { Result } from '../workers/contender.js'
import { type Kind, prepare, taker } from '../workers/takers.js'

const CONTENDERS: { kind: Kind; name: string; role: Row['role'] }[] = [
  { kind: 'kernel', name: 'kernel', role: 'ours' },
  { kind: 'flock', name: 'blocking flock', role: 'floor' },
  { kind: 'proper-lockfile', name: 'proper-lockfile, 500 retries of 5–50 ms', role: 'other' },
]
/** Not waiting for a lock at all: V8 alone collects once, for some 10 ms, seconds after a process went idle. */
const IDLE = { kind: 'nothing', name: 'idle Node processes, no lock', role: 'floor' } as const
const CROWDS = [
  { processes: 2, takes: 200, rounds: 3 },
  { processes: 8, takes: 50, rounds: 3 },
  { processes: 32, takes: 15, rounds: 7 },
]
const HOLD_MS = 1
const DEADLINE_MS = 5_000
const LONGEST_TO_MEAN = 'longest / mean'

export async function handoverGroup(context: Context): Promise<Group> {
  const tables: Table[] = []
  for (const one of CROWDS)
    tables.push(await crowd(context, context.quick ? { ...one, takes: 5, rounds: 1 } : one))
  const [most, waiting] = [tables.at(-1)!, await idleWaiters(context, 32)]
  const aims = [
    atMost(4, '32 processes, 1 ms held: total, to the sum of the held times', medianOf(most, 'kernel'), 1.5),
    atMost(4, '32 processes, 1 ms held: longest wait, to the mean', moreOf(most, LONGEST_TO_MEAN), 3),
    atMost(4, 'CPU of 32 waiters together', medianOf(waiting, 'kernel'), 1, '% of a core'),
  ]
  return { name: 'handover', tables: [...tables, waiting], aims }
}

function moreOf(table: Table, column: string): Figure {
  const { more = {}, samples } = rowOf(table, 'kernel')
  return { measured: more[column] ?? Number.NaN, samples }
}

interface Round extends Result {
  wallMs: number
}

type Crowd = (typeof CROWDS)[number]

async function crowd({ dir, say }: Context, { processes, takes, rounds: count }: Crowd): Promise<Table> {
  say(`${processes} processes`)
  const rounds: Round[][] = CONTENDERS.map(() => [])
  for (let round = 0; round < count; round++) {
    for (let turn = 0; turn < CONTENDERS.length; turn++) {
      const index = (turn + round) % CONTENDERS.length
      const { kind } = CONTENDERS[index]!
      const path = prepare(join(dir, `${kind}-${processes}`))
      rounds[index]!.push(await compete(kind, path, processes, takes))
    }
  }
  const overHeld = rounds.map((several) => several.map(({ wallMs, heldMs }) => wallMs / heldMs))
  const floor = CONTENDERS.findIndex(({ role }) => role === 'floor')
  return {
    title: `Hand-over among ${processes} processes, ${takes} takes each, ${HOLD_MS} ms held`,
    unit: 'total / held',
    note: `Total time in relation to the time that the lock was held: 1 is perfect. Waits in ms; CPU seconds of all ${processes} with their helpers; every process stops after ${DEADLINE_MS / 1000} s.`,
    rows: CONTENDERS.map(({ name, role }, index) => ({
      ...summarize(name, role, overHeld[index]!, overHeld[floor]!),
      more: details(rounds[index]!, processes * takes),
    })),
  }
}

function details(rounds: Round[], wanted: number): Record<string, number> {
  const middle = (of: (round: Round) => number): number => quantile(rounds.map(of), 0.5)
  return {
    'mean wait': middle(({ waitedMs, takes }) => waitedMs / takes),
    'longest wait': middle(({ longestMs }) => longestMs),
    [LONGEST_TO_MEAN]: middle(({ longestMs, waitedMs, takes }) => longestMs / (waitedMs / takes)),
    'CPU s': middle(({ cpuSeconds }) => cpuSeconds),
    'takes done %': middle(({ takes }) => (100 * takes) / wanted),
  }
}

async function compete(kind: Kind, path: string, processes: number, takes: number): Promise<Round> {
  const args = [kind, path, String(takes), String(HOLD_MS), String(DEADLINE_MS)]
  const workers = Array.from({ length: processes }, () => startWorker('contender', args))
  await allAnswers(workers)
  const results = allAnswers(workers) as Promise<Result[]>
  const begun = performance.now()
  workers.forEach((worker) => worker.send('go'))
  const all = await results
  const wallMs = performance.now() - begun
  await Promise.all(workers.map(({ gone }) => gone))
  return {
    wallMs,
    takes: sumOf(all, (result) => result.takes),
    heldMs: sumOf(all, (result) => result.heldMs),
    waitedMs: sumOf(all, (result) => result.waitedMs),
    longestMs: Math.max(...all.map((result) => result.longestMs)),
    cpuSeconds: sumOf(all, (result) => result.cpuSeconds),
  }
}

/** V8 collects once, for some 10 ms a process, some seconds after the process went idle: that is not waiting. */
const SETTLE_MS = 10_000
const WINDOW_MS = 2_000
const WINDOWS = 5

/** Processes that do nothing but wait behind this one. */
async function idleWaiters({ dir, quick, say }: Context, processes: number): Promise<Table> {
  say(`${processes} processes that wait`)
  const rows: Row[] = []
  for (const { kind, name, role } of [...CONTENDERS, IDLE]) {
    const path = prepare(join(dir, `${kind}-idle`))
    const { toBegin, waiting } = await watchWaiters(kind, path, processes, quick ? 2 : WINDOWS)
    const percents = waiting.map((cpuMs) => (100 * cpuMs) / WINDOW_MS)
    rows.push({
      ...summarize(name, role, percents, null),
      more: { 'CPU ms a process to begin waiting': toBegin },
    })
  }
  return {
    title: `${processes} processes waiting`,
    unit: '% of a core, all together',
    note: `CPU time of the waiters and their helpers in each of ${WINDOWS} windows of ${WINDOW_MS / 1000} s, from ${SETTLE_MS / 1000} s after they began.`,
    rows,
  }
}

/** CPU milliseconds: of one process until it waits, and of all in each window. */
async function watchWaiters(
  kind: Kind,
  path: string,
  processes: number,
  windows: number,
): Promise<{ toBegin: number; waiting: number[] }> {
  const release = kind === 'nothing' ? () => undefined : await taker(kind)(path)
  const workers = Array.from({ length: processes }, () =>
    startWorker('contender', [kind, path, '1', '0', '60000']),
  )
  await allAnswers(workers)
  const results = allAnswers(workers)
  const pids = workers.map(({ pid }) => pid)
  const milliseconds = (): number => cpuSecondsOfTree(pids) * 1000
  const before = milliseconds()
  workers.forEach((worker) => worker.send('go'))
  await sleep(SETTLE_MS)
  const used = [milliseconds()]
  for (let window = 0; window < windows; window++) {
    await sleep(WINDOW_MS)
    used.push(milliseconds())
  }
  await release()
  if (kind === 'nothing') workers.forEach((worker) => worker.send('done'))
  await results
  await Promise.all(workers.map(({ gone }) => gone))
  const waiting = used.slice(1).map((after, window) => after - used[window]!)
  return { toBegin: (used[0]! - before) / processes, waiting }
}
