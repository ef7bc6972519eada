/** Uses the library on command: caches, builds of every temper, files that describe themselves. */
import { appendFileSync, existsSync, readFileSync, readdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import {
  type Cache,
  type CacheOptions,
  type CompileOptions,
  type Key,
  openCache,
  withLock,
  writeFile,
} from '../../../src/index.js'
import { Layout } from '../../../src/store/layout.js'
import { realAppending } from '../../../src/host/append-file.js'
import { countNow } from '../../../src/store/count.js'
import { note, obey } from './obey.js'

export interface BuildPlan {
  /** `die`: by SIGKILL, as the out-of-memory killer does it. */
  temper?: 'good' | 'throw' | 'die'
  /** A line with the pid is appended for every build that starts. */
  log?: string
  /** The build notes `building` and waits until this file is there. */
  until?: string
}

let cache: Cache

async function appearance(path: string): Promise<void> {
  while (!existsSync(path)) await sleep(5)
}

async function build(dir: string, { temper = 'good', log, until }: BuildPlan): Promise<void> {
  if (log) appendFileSync(log, `${process.pid}\n`)
  note('building')
  if (until) await appearance(until)
  if (temper === 'die') process.kill(process.pid, 'SIGKILL')
  if (temper === 'throw') throw new RangeError('the layer is too wide')
  writeFileSync(join(dir, 'kernel.bin'), Buffer.alloc(100_000, 'k'))
}

obey({
  async open(root: string, options: CacheOptions = {}) {
    cache = await openCache(root, options)
  },
  become(uid: number) {
    process.setgroups!([])
    process.setgid!(uid)
    process.setuid!(uid)
  },
  async compile(key: Key, plan: BuildPlan, options: CompileOptions = {}) {
    const onWait = (): void => note('waiting')
    const entry = await cache.getOrCompile(key, ({ dir }) => build(dir, plan), { onWait, ...options })
    const bytes = readFileSync(join(entry.path, 'kernel.bin'))
    // A worker is killed in the end: nobody else would remove it.
    if (entry.outcome === 'private') await entry.release()
    return { outcome: entry.outcome, path: entry.path, whole: bytes.equals(Buffer.alloc(100_000, 'k')) }
  },
  /** As `compile`, with the whole error: what a person would see. */
  async fail(key: Key, plan: BuildPlan, options: CompileOptions = {}) {
    try {
      await cache.getOrCompile(key, ({ dir }) => build(dir, plan), {
        onWait: () => note('waiting'),
        ...options,
      })
      return null
    } catch (error) {
      const { name, message, code, hint, cause } = error as Error & {
        code: string
        hint: string
        cause: Error
      }
      return { name, message, code, hint, cause: cause && { name: cause.name, message: cause.message } }
    }
  },
  /** Holds the lock of `path` until the file `until` is there. */
  hold: (path: string, until: string) =>
    withLock(path, async () => {
      note('holding')
      await appearance(until)
    }),
  write: (path: string, text: string) => writeFile(path, text),
  /** Ends the process as a program does that has nothing left to do. */
  exit: () => process.exit(0),
  /** Writes so many lines of statistics, one by one, once the file `start` is there. */
  async count(root: string, id: string, lines: number, start: string) {
    note('ready')
    await appearance(start)
    for (let line = 0; line < lines; line++)
      countNow(realAppending, new Layout(root), [
        { at: Date.now(), id, key: '"k"', counts: { hits: 1, savedMs: line } },
      ])
  },
  /** Looks into `directory` all the time until the file `stop` is there; returns the numbers of files seen. */
  async countAllTheTime(directory: string, stop: string) {
    const seen = new Set<number>()
    note('counting')
    do {
      seen.add(existsSync(directory) ? readdirSync(directory).length : -1)
      await new Promise(setImmediate)
    } while (!existsSync(stop))
    return [...seen]
  },
  maxMemory: () => Number(/VmHWM:\s+(\d+)/.exec(readFileSync('/proc/self/status', 'utf8'))![1]) * 1024,
  async writeStream(path: string, bytes: number) {
    const piece = Buffer.alloc(1024 * 1024, 'p')
    await writeFile(
      path,
      (function* () {
        for (let left = bytes; left > 0; left -= piece.length)
          yield piece.subarray(0, Math.min(left, piece.length))
      })(),
    )
  },
})
