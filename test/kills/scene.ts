/** A process about to do an operation that it has done once, elsewhere, and the place where it will do it. */
import { mkdirSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { processesWith } from '../support/proc.js'
import { until } from '../support/until.js'
import type { useWorkers } from '../support/use-workers.js'
import type { LockerName, Operation, Place } from './operation.js'
import { OPERATIONS } from './operations.js'
import { type Call, killAt, placeOfDeath, readRecord, record, threadsOf } from './strace.js'

/** What there is to be tried: one operation, killed at one call. */
export interface Case {
  locker: LockerName
  operation: string
  call: Call
}

export interface Death extends Case {
  place: Place
  /** At which call it died; `null`: it came to its end. */
  at: string | null
}

export interface Surroundings {
  scratch: () => string
  startWorker: ReturnType<typeof useWorkers>
  /** All processes are on one host: they have one directory of gates. */
  gates: string
}

export class Theatre {
  #victims = 0

  constructor(private readonly surroundings: Surroundings) {}

  /** All calls of an undisturbed run. */
  async rehearse(locker: LockerName, operation: string): Promise<Case[]> {
    const { victim, place, directories, log } = await this.#setScene(locker, operation)
    const tracer = await record(victim.pid, log)
    const threads = threadsOf(victim.pid)
    await inCompany(OPERATIONS[locker][operation]!, place, () => victim.ask('act', locker, operation, place))
    await tracer.end()
    await victim.kill()
    return readRecord(log, directories, threads).map((call) => ({ locker, operation, call }))
  }

  async kill(each: Case): Promise<Death> {
    const { locker, operation, call } = each
    const { victim, mark, place, directories, log } = await this.#setScene(locker, operation)
    const tracer = await killAt(victim.pid, call, log)
    const cameThrough = await inCompany(OPERATIONS[locker][operation]!, place, () =>
      victim.ask('act', locker, operation, place).then(
        () => true,
        () => false,
      ),
    )
    if (!cameThrough && (await victim.ended) !== 'SIGKILL') throw new Error(`${operation} failed by itself`)
    await victim.kill()
    await tracer.end()
    // One that was about to wait for a lock, and could not be told yet to die with it, has it for a moment.
    await until('its helpers are gone', () => processesWith('KILLED_VICTIM', mark).length === 0)
    return { ...each, place, at: cameThrough ? null : placeOfDeath(log, directories, call.thread) }
  }

  async #setScene(locker: LockerName, operation: string) {
    const { startWorker, gates } = this.surroundings
    const mark = `${process.pid}.${this.#victims++}`
    // One thread in the pool: so that a call's number does not depend on which thread was free.
    const victim = startWorker('../../kills/victim', [], {
      UV_THREADPOOL_SIZE: '1',
      CACHELATCH_GATE_DIR: gates,
      NODE_NO_WARNINGS: '1',
      KILLED_VICTIM: mark,
    })
    const elsewhere = this.#makePlace()
    await victim.ask('warmUp', locker, operation, elsewhere)
    rmSync(join(elsewhere.root, '..'), { recursive: true, force: true, maxRetries: 3 })
    const place = this.#makePlace()
    await OPERATIONS[locker][operation]!.prepare?.(place)
    const base = join(place.root, '..')
    return { victim, mark, place, directories: [base, gates], log: join(base, 'strace.log') }
  }

  #makePlace(): Place {
    const base = this.surroundings.scratch()
    const [root, beside] = [join(base, 'cache'), join(base, 'beside')]
    for (const directory of [root, beside]) mkdirSync(directory)
    return { root, file: join(beside, 'file'), directory: join(beside, 'directory') }
  }
}

/** Victim and company end each other's stay: who waits, by coming, and who is waited for, by going. */
async function inCompany<T>({ company }: Operation, place: Place, act: () => Promise<T>): Promise<T> {
  const victim = { isOver: false }
  const leave = await company?.(place, victim)
  try {
    return await act()
  } finally {
    victim.isOver = true
    await leave?.()
  }
}
