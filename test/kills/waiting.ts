/** Those who come when another has the lock: they wait for it, or succeed its dead holder. */
import { existsSync, readdirSync } from 'node:fs'
import { basename, dirname, join } from 'node:path'
import { withLock } from '../../src/index.js'
import { checkDirectory } from '../support/checker.js'
import { until } from '../support/until.js'
import { WorkerProcess } from '../support/worker-process.js'
import {
  AT_ONCE,
  type Company,
  type LockerName,
  MODEL,
  type Operation,
  type Place,
  STALE_MS,
  compile,
  fill,
  open,
} from './operation.js'

/** What a waiter says on disk, after a second: by then it has done all that waiting takes. */
const isWaitedFor = (lock: string): boolean =>
  readdirSync(dirname(lock)).some((name) => name.startsWith(`${basename(lock)}.waiting.`))

/** Is inside, with `lock`, until somebody waits. */
type Stay = (lock: string) => Promise<void>

async function staying(
  victim: { isOver: boolean },
  enter: (stay: Stay) => Promise<unknown>,
): Promise<Company> {
  let left: Promise<unknown> = Promise.resolve()
  await new Promise<void>((isInside, reject) => {
    left = enter(async (lock) => {
      isInside()
      await until('the victim waits', () => victim.isOver || isWaitedFor(lock))
    })
    left.catch(reject)
  })
  return async () => void (await left)
}

const built = ({ root }: Place): string => join(root, 'v1/entries', MODEL.slice(0, 2), MODEL, 'files')

/** With the lock of a file, until the record is there that says who has it. */
const holding =
  (locker: LockerName, options: { timeoutMs?: number }) =>
  ({ file }: Place): Promise<void> =>
    withLock(
      file,
      async ({ path }) => void (await until('the record is there', () => existsSync(`${path}.owner.json`))),
      { locker, staleMs: STALE_MS, ...options },
    )

export const waitingWith = (locker: LockerName): Record<string, Operation> => ({
  'waiting for a build': {
    prepare: ({ root }) => open(root, locker),
    company: (place, victim) =>
      staying(victim, async (stay) => {
        const cache = await open(place.root, locker)
        const build = async (dir: string): Promise<void> => {
          fill(dir)
          await stay(join(place.root, 'v1/locks', MODEL))
        }
        const entry = await cache.getOrCompile('model', ({ dir }) => build(dir), AT_ONCE)
        await entry.release()
      }),
    act: async ({ root }) => {
      const cache = await open(root, locker)
      const entry = await cache.getOrCompile('model', ({ dir }) => fill(dir))
      await entry.release()
    },
    keeps: (place) => checkDirectory(built(place)) !== null,
    goOn: ({ root }) => compile(root, locker),
  },
  'waiting for a lock, and taking it': {
    company: ({ file }, victim) =>
      staying(victim, (stay) =>
        withLock(file, ({ path }) => stay(path), { locker, staleMs: STALE_MS, ...AT_ONCE }),
      ),
    act: holding(locker, {}),
    goOn: holding(locker, AT_ONCE),
  },
})

/** Behind the gate, its own host knows at once that the holder is dead. */
export const SUCCEEDING: Record<string, Operation> = {
  'taking over from the dead of this host': {
    prepare: async ({ root }) => {
      await open(root, 'lockfile')
      const holder = new WorkerProcess('../../kills/victim', [], {})
      void holder.ask('dieBuilding', root)
      if ((await holder.ended) !== 'SIGKILL') throw new Error('The holder has not died at its build')
    },
    act: ({ root }) => compile(root, 'lockfile'),
    goOn: ({ root }) => compile(root, 'lockfile'),
  },
}
