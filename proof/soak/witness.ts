/**
 * Knows nothing of cachelatch but the form in which it leaves things on disk. Hears from all workers who is inside
 * which lock, looks at everything that is published all the time, and keeps what must not be.
 *
 * Arguments: the socket, and the worlds as JSON.
 */
import { type Socket, createServer } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import { startOf } from '../../test/support/proc.js'
import { Inspection } from './inspection.js'
import { Stays } from './stays.js'
import { type Testimony, onLines } from './testimony.js'
import type { World } from './worlds.js'

const LOOK_EVERY_MS = 100

export interface Account {
  violations: string[]
  /** By operation and outcome. */
  operations: Record<string, number>
  stays: number
  looks: number
  /** What workers are doing just now. */
  doing: { pid: number; operation: string; forMs: number }[]
}

const [, , socketPath = '', worldsText = '[]'] = process.argv
const worlds = JSON.parse(worldsText) as World[]
const violations: string[] = []
const complain = (what: string): void => void violations.push(`${new Date().toISOString()} ${what}`)
const operations: Record<string, number> = {}
const stays = new Stays(complain, (pid) => startOf(pid))
const inspection = new Inspection(complain)
const doing = new Map<Socket, { pid: number; operation: string; since: number }>()

createServer((socket) => {
  const worker = { pid: 0, start: '', operation: 'nothing', since: performance.now() }
  onLines(socket, (line) => {
    hear(worker, JSON.parse(line) as Testimony)
    socket.write('\n')
  })
  doing.set(socket, worker)
  // Killed workers say nothing more.
  socket.on('error', () => undefined)
  socket.on('close', () => {
    doing.delete(socket)
    stays.gone(worker)
  })
}).listen(socketPath, () => process.send!('listening'))

interface Worker {
  pid: number
  start: string
  operation: string
  since: number
}

function hear(worker: Worker, testimony: Testimony): void {
  switch (testimony.tell) {
    case 'hello':
      Object.assign(worker, testimony)
      return
    case 'begins':
      Object.assign(worker, { operation: testimony.operation, since: performance.now() })
      return
    case 'done': {
      const name = `${testimony.operation}: ${testimony.outcome}`
      operations[name] = (operations[name] ?? 0) + 1
      Object.assign(worker, { operation: 'nothing', since: performance.now() })
      return
    }
    case 'violation':
      return complain(`${worker.pid}, ${worker.operation}: ${testimony.what}`)
    case 'in':
      return stays.in(worker, testimony)
    case 'out':
      return stays.out(worker, testimony)
  }
}

async function lookAround(): Promise<void> {
  for (;;) {
    for (const { root, beside } of worlds) {
      inspection.lookAtCache(root)
      await sleep(0)
      inspection.lookAtPlaced(beside)
    }
    await sleep(LOOK_EVERY_MS)
  }
}

process.on('disconnect', () => process.exit())
process.on('message', () => {
  const now = performance.now()
  const account: Account = {
    violations,
    operations,
    stays: stays.count,
    looks: inspection.looks,
    doing: [...doing.values()].map(({ pid, operation, since }) => ({ pid, operation, forMs: now - since })),
  }
  process.send!(account)
})
void lookAround()
