/** From SIGKILL of a holder to the moment in which the next one, already waiting, is inside. */
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import type { Context } from '../context.js'
import { type Contender, measure } from '../measure.js'
import { type Worker, startWorker } from '../processes.js'
import { type Group, type Row, atMost, medianOf } from '../report.js'
import { type Kind, prepare } from '../workers/takers.js'

const ROUNDS = 15
const NETWORK = 'lockfile, on the same host'
const KINDS: { kind: Kind; name: string; role: Row['role']; rounds: number }[] = [
  { kind: 'kernel', name: 'kernel', role: 'ours', rounds: ROUNDS },
  { kind: 'flock', name: 'blocking flock', role: 'floor', rounds: ROUNDS },
  { kind: 'lockfile', name: NETWORK, role: 'ours', rounds: ROUNDS },
  { kind: 'proper-lockfile', name: 'proper-lockfile, stale after 2 s', role: 'other', rounds: 3 },
]
/** From "I am about to wait" until it surely does, in its helper process where it has one. */
const SETTLE_MS = 400

export async function successionGroup({ dir, quick, say }: Context): Promise<Group> {
  say('SIGKILL to the next holder')
  const lines = await Promise.all(KINDS.map(({ kind }) => startLine(kind, prepare(join(dir, kind)))))
  const contenders: Contender[] = KINDS.map(({ name, role, rounds }, index) => ({
    name,
    role,
    rounds: quick ? Math.min(rounds, 3) : rounds,
    sample: () => lines[index]!.succeed(),
    // The next waiter gets in line before the next contender's turn.
    rest: () => lines[index]!.refill(),
  }))
  const table = await measure({
    title: 'SIGKILL of the holder to the next holder',
    unit: 'ms',
    rounds: quick ? 3 : ROUNDS,
    contenders,
  })
  await Promise.all(lines.map((line) => line.end()))
  return {
    name: 'succession',
    tables: [table],
    aims: [
      atMost(5, 'SIGKILL of the holder to the successor inside', medianOf(table, 'kernel'), 10, 'ms'),
      atMost(null, 'the same with the network lock, on one host', medianOf(table, NETWORK), 20, 'ms'),
    ],
  }
}

interface Line {
  /** Kills the holder; milliseconds until the waiter is inside. */
  succeed(): Promise<number>
  refill(): Promise<void>
  end(): Promise<void>
}

/** A holder and a waiter; the waiter becomes the holder, and so on. */
async function startLine(kind: Kind, path: string): Promise<Line> {
  const enter = async (): Promise<Worker> => {
    const child = startWorker('successor', [kind, path])
    await child.answer()
    return child
  }
  let holder = await enter()
  await holder.answer()
  let waiter = await enter()
  await sleep(SETTLE_MS)
  return {
    async succeed() {
      const inside = waiter.answer() as Promise<{ insideAt: string }>
      const killedAt = process.hrtime.bigint()
      holder.kill()
      const { insideAt } = await inside
      await holder.gone
      return Number(BigInt(insideAt) - killedAt) / 1e6
    },
    async refill() {
      holder = waiter
      waiter = await enter()
      await sleep(SETTLE_MS)
    },
    async end() {
      holder.kill()
      waiter.kill()
      await Promise.all([holder.gone, waiter.gone])
    },
  }
}
