/** Abort, time-out and failure at every disk call there is: no lock, no stage, no descriptor, no helper stays. */
import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { rm } from 'node:fs/promises'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { openCacheOn } from '../../src/latch/cache.js'
import { openCache, writeDirectory, writeFile } from '../../src/index.js'
import { childrenOf, openBelow } from '../support/proc.js'
import { useScratch } from '../support/scratch.js'
import { atCall } from '../support/stopping-disk.js'
import { below, leftIn } from '../support/tree.js'
import { until } from '../support/until.js'
import { useWorkers } from '../support/use-workers.js'

// Hundreds of caches are made here: in memory, where there is some.
if (existsSync('/dev/shm')) process.env['TMPDIR'] = '/dev/shm'

const scratch = useScratch()
const start = useWorkers()
const onLinux = process.platform === 'linux'
const fill = ({ dir }: { dir: string }): void => writeFileSync(join(dir, 'f'), 'whole')

/** Lock files stay open for a second after their release, unlocked: they are no leftover. */
const openIn = (root: string): string[] =>
  // In libuv's pool, statistics are written after the call has ended.
  onLinux ? openBelow(root).filter((path) => !/\.lock$|\/v1\/stats\//.test(path)) : []

/** Statistics are written in the pool, after the call has ended, and `rmSync` lists a directory only once. */
const removeWhole = (root: string): Promise<void> => rm(root, { recursive: true, maxRetries: 10 })

test.each(['kernel', 'lockfile'] as const)(
  'a caller that gives up at any disk call leaves nothing, and the next one compiles (%s)',
  async (locker) => {
    for (let n = 1; ; n++) {
      const root = scratch()
      const controller = new AbortController()
      const reason = new Error(`aborted at call ${n}`)
      const world = atCall(n, () => controller.abort(reason))
      const cache = await openCacheOn(world.host, root, { locker })
      const outcome = await cache.getOrCompile('key', fill, { signal: controller.signal }).then(
        async (entry) => {
          // Too late to stop: then it is whole.
          expect(readFileSync(join(entry.path, 'f'), 'utf8')).toBe('whole')
          await entry.release()
          return entry.outcome
        },
        (error: unknown) => error,
      )
      if (outcome !== 'compiled') expect(outcome, `call ${n}, ${world.reached}`).toBe(reason)
      expect(leftIn(root), `call ${n}, ${world.reached}`).toEqual([])
      expect(openIn(root), `call ${n}, ${world.reached}`).toEqual([])
      expect(below(join(root, 'v1/attempts'))).toEqual([])
      const next = await openCache(root, { strict: true })
      const entry = await next.getOrCompile('key', fill, { timeoutMs: 0 })
      expect(entry.outcome).toBe(outcome === 'compiled' ? 'hit' : 'compiled')
      await entry.release()
      await removeWhole(root)
      if (world.reached === undefined) break
      expect(n).toBeLessThan(500)
    }
  },
)

test.each([
  ['EIO', 'DISK_ERROR'],
  ['ENOSPC', 'DISK_FULL'],
])(
  'a disk that fails with %s at any one call: a result in the default mode, an error with strict, never half an entry',
  async (errno, code) => {
    const fail = (): never => {
      throw Object.assign(new Error(`${errno}: made by a test`), { code: errno })
    }
    for (const strict of [false, true]) {
      for (let n = 1; ; n++) {
        const root = scratch()
        const world = atCall(n, fail)
        const where = (): string => `strict ${strict}, call ${n}, ${world.reached}`
        const result = await openCacheOn(world.host, root, { strict, locker: 'kernel' })
          .then((cache) => cache.getOrCompile('key', fill))
          .then(
            async (entry) => {
              expect(readFileSync(join(entry.path, 'f'), 'utf8')).toBe('whole')
              await entry.release()
              return entry.outcome
            },
            (error: unknown) => error,
          )
        if (typeof result !== 'string') {
          expect(strict, `${where()}: ${String(result)}`).toBe(true)
          expect(result, where()).toMatchObject({
            name: 'LatchError',
            code,
            hint: expect.stringMatching(/\w/),
          })
        }
        expect(openIn(root), where()).toEqual([])
        // The lock is free, no crash is on record, and what is there is whole.
        const entry = await (
          await openCache(root, { strict: true, check: 'hashes' })
        ).getOrCompile('key', fill, {
          timeoutMs: 0,
        })
        expect(readFileSync(join(entry.path, 'f'), 'utf8')).toBe('whole')
        await entry.release()
        await removeWhole(root)
        if (world.reached === undefined) break
        expect(n).toBeLessThan(500)
      }
    }
  },
)

test.skipIf(!onLinux)(
  'who waits and gives up, by abort or time-out, leaves no helper and no descriptor',
  async () => {
    const directory = scratch()
    const path = join(directory, 'p')
    const holder = start('latch')
    const held = holder.ask('hold', path, join(directory, 'go'))
    await until('the lock is held', () => holder.noted('holding'))

    const controller = new AbortController()
    const waiting = writeFile(path, 'x', { signal: controller.signal })
    const isWaiting = (): boolean => childrenOf(process.pid).some(({ name }) => name === 'flock')
    await until('it waits in the kernel', isWaiting)
    controller.abort(new Error('enough'))
    await expect(waiting).rejects.toThrow('enough')
    await expect(writeFile(path, 'x', { timeoutMs: 200 })).rejects.toMatchObject({
      code: 'WAIT_TIMEOUT',
      message: expect.stringContaining(`pid ${holder.pid}`),
      hint: expect.stringContaining('timeoutMs'),
    })
    await expect(writeFile(path, 'x', { timeoutMs: 0 })).rejects.toMatchObject({ code: 'WAIT_TIMEOUT' })
    expect(isWaiting()).toBe(false)
    expect(openBelow(directory)).toEqual([])
    writeFileSync(join(directory, 'go'), '')
    await held
    await writeFile(path, 'free', { timeoutMs: 0 })
    expect(readFileSync(path, 'utf8')).toBe('free')
  },
)

test('an abort ends a stream that never yields again, and the old file stays whole', async () => {
  const directory = scratch()
  const path = join(directory, 'p')
  await writeFile(path, 'old')
  const controller = new AbortController()
  let ended = false
  async function* stream(): AsyncGenerator<string> {
    try {
      yield 'first'
      queueMicrotask(() => controller.abort(new Error('enough')))
      await new Promise(() => undefined)
    } finally {
      ended = true
    }
  }
  await expect(writeFile(path, stream(), { signal: controller.signal })).rejects.toThrow('enough')
  expect(ended).toBe(false) // It hangs where nobody can reach it.
  expect(readFileSync(path, 'utf8')).toBe('old')
  expect(leftIn(join(directory, '.cachelatch'))).toEqual([])
})

test('what a stream or a fill throws is thrown unchanged, ends the stream, and leaves nothing', async () => {
  const directory = scratch()
  const mistake = Object.assign(new Error('mine'), { code: 'ENOENT' })
  let returned = false
  const stream = {
    *[Symbol.iterator]() {
      try {
        yield 'first'
        throw mistake
      } finally {
        returned = true
      }
    },
  }
  await expect(writeFile(join(directory, 'f'), stream)).rejects.toBe(mistake)
  expect(returned).toBe(true)
  const failing = writeDirectory(join(directory, 'd'), (dir) => {
    writeFileSync(join(dir, 'f'), '')
    throw mistake
  })
  await expect(failing).rejects.toBe(mistake)
  await expect(writeFile(join(directory, 'f'), 7 as never)).rejects.toThrow(TypeError)
  await expect(writeFile(join(directory, 'f'), [7] as never)).rejects.toThrow(TypeError)
  expect(leftIn(join(directory, '.cachelatch'))).toEqual([])
  expect(below(directory).filter((name) => !name.startsWith('.cachelatch'))).toEqual([])
})
