/** Two FUSE mounts of one directory, as two hosts have it: flock on one excludes nobody on the other. */
import { execFileSync, spawnSync } from 'node:child_process'
import { closeSync, mkdirSync, openSync, readFileSync, readdirSync, unlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { openCache } from '../../src/index.js'
import { useMounts } from '../support/mounts.js'
import { missing } from '../support/needs.js'
import { useScratch } from '../support/scratch.js'
import { below } from '../support/tree.js'
import { until } from '../support/until.js'
import { useWorkers } from '../support/use-workers.js'

const scratch = useScratch()
const mounts = useMounts()
const start = useWorkers()

describe.skipIf(missing('root', 'bindfs'))('two mounts of one directory', () => {
  function twoMounts(): { base: string; roots: [string, string] } {
    const base = scratch()
    mkdirSync(join(base, 'cache'))
    return { base, roots: [join(mounts.bindfs(base), 'cache'), join(mounts.bindfs(base), 'cache')] }
  }

  test.skipIf(missing('flock(1)'))('are what they are taken for: flock does not exclude between them', () => {
    const { roots } = twoMounts()
    writeFileSync(join(roots[0], 'l'), '')
    const inner = ['flock', '-n', join(roots[1], 'l'), 'true']
    expect(spawnSync('flock', ['-n', join(roots[0], 'l'), ...inner]).status).toBe(0)
    const same = ['flock', '-n', join(roots[0], 'l'), 'true']
    expect(spawnSync('flock', ['-n', join(roots[0], 'l'), ...same]).status).not.toBe(0)
  })

  test('do not get the kernel lock, and it is said why', async () => {
    const { roots } = twoMounts()
    const cache = await openCache(roots[0], { strict: true })
    expect(await cache.locker()).toMatchObject({ kind: 'lockfile', reason: expect.stringContaining('fuse') })
    await expect(cache.lockPath('key')).rejects.toMatchObject({ code: 'LOCK_UNAVAILABLE' })
  })

  test('of which one, beside the mount, was created with kernel locks: LOCKER_MISMATCH, not two locks', async () => {
    const { base, roots } = twoMounts()
    expect(await (await openCache(join(base, 'cache'), { strict: true })).locker()).toMatchObject({
      kind: 'kernel',
    })
    await expect(openCache(roots[0], { strict: true })).rejects.toMatchObject({ code: 'LOCKER_MISMATCH' })
  })

  test.each(['a gate for each host', 'one gate'])(
    '16 processes, 8 on each mount, one cold key: one build, and all is right (%s)',
    async (gates) => {
      const { base, roots } = twoMounts()
      const [log, go] = [join(base, 'log'), join(base, 'go')]
      const gate = scratch()
      const gateOf = [gate, gates === 'one gate' ? gate : scratch()]
      const workers = await Promise.all(
        Array.from({ length: 16 }, async (_, n) => {
          const worker = start('latch', [], { CACHELATCH_GATE_DIR: gateOf[n % 2]! })
          await worker.ask('open', roots[n % 2], { strict: true })
          return worker
        }),
      )
      const entries = workers.map((worker) =>
        worker.ask<{ outcome: string }>('compile', 'key', { log, until: go }),
      )
      // All but the builder have waited for a second when it is let go on.
      await until('15 wait', () => workers.filter((worker) => worker.noted('waiting')).length === 15)
      writeFileSync(go, '')
      const outcomes = await Promise.all(entries)
      expect(readFileSync(log, 'utf8').trim().split('\n')).toHaveLength(1)
      expect(outcomes.every((entry) => (entry as { whole?: boolean }).whole)).toBe(true)
      expect(outcomes.map(({ outcome }) => outcome).sort()).toEqual(['compiled', ...Array(15).fill('waited')])
    },
  )

  test('a stage that cannot be removed, because a file in it is open, fails no publish', async () => {
    const { base, roots } = twoMounts()
    // A lock that excludes nobody: the memory locker of two caches on two paths.
    const [first, second] = [
      await openCache(roots[0], { locker: 'memory', strict: true }),
      await openCache(roots[1], { locker: 'memory', strict: true }),
    ]
    let fd = -1
    const entry = await first.getOrCompile('key', async ({ dir }) => {
      writeFileSync(join(dir, 'f'), 'of the first')
      fd = openSync(join(dir, 'f'), 'r')
      await second.getOrCompile('key', (stage) => writeFileSync(join(stage.dir, 'f'), 'of the second'))
    })
    expect(readFileSync(join(entry.path, 'f'), 'utf8')).toBe('of the second')
    const left = below(join(base, 'cache/v1/stage'))
    expect(left.filter((name) => name.includes('.fuse_hidden'))).toHaveLength(1)
    closeSync(fd)
    await until('gc has removed the rest', async () => {
      await first.gc({ graceMs: 0 })
      return readdirSync(join(base, 'cache/v1/stage')).length === 0
    })
  })

  test('a file that was deleted while it is open is no part of the entry', async () => {
    const { roots } = twoMounts()
    const cache = await openCache(roots[0], { strict: true, check: 'hashes' })
    let fd = -1
    const entry = await cache.getOrCompile('key', ({ dir }) => {
      writeFileSync(join(dir, 'f'), 'x')
      writeFileSync(join(dir, 'scratch'), 'y')
      fd = openSync(join(dir, 'scratch'), 'r')
      unlinkSync(join(dir, 'scratch'))
      expect(readdirSync(dir)).toEqual([expect.stringContaining('.fuse_hidden'), 'f'])
    })
    await entry.release()
    closeSync(fd)
    await until('it is gone', () => readdirSync(entry.path).length === 1)
    expect((await cache.getOrCompile('key', () => expect.unreachable())).outcome).toBe('hit')
    execFileSync('sync', ['-f', roots[0]])
  })
})
