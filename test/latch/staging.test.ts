/** A stage, and gc without any grace: the writer has its stage, or makes another. */
import {
  closeSync,
  existsSync,
  mkdirSync,
  openSync,
  readFileSync,
  readdirSync,
  rmSync,
  writeFileSync,
} from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { openCache } from '../../src/index.js'
import { type Host, realHost } from '../../src/host/host.js'
import { openCacheOn } from '../../src/latch/cache.js'
import { useScratch } from '../support/scratch.js'
import { atCall } from '../support/stopping-disk.js'

const scratch = useScratch()

describe.each(['kernel', 'lockfile'] as const)('%s', (locker) => {
  test('a stage that is being written is left alone, however old it looks', async () => {
    const root = scratch()
    const cache = await openCache(root, { locker, strict: true })
    const collector = await openCache(root, { locker, strict: true })
    const entry = await cache.getOrCompile('key', async ({ dir }) => {
      writeFileSync(join(dir, 'f'), 'half')
      expect(await collector.gc({ graceMs: 0 })).toMatchObject({ leftovers: 0 })
      expect(readFileSync(join(dir, 'f'), 'utf8')).toBe('half')
    })
    expect(readFileSync(join(entry.path, 'f'), 'utf8')).toBe('half')
    await entry.release()
  })
})

test('a stage that gc removes before any call of its writer: it is never handed to a build, and another is made', async () => {
  let removed = 0
  for (let n = 1, reached = true; reached; n++) {
    const root = scratch()
    const collector = await openCache(root, { strict: true })
    const writer = atCall(n, async () => void (removed += (await collector.gc({ graceMs: 0 })).leftovers))
    const cache = await openCacheOn(writer.host, root, { strict: true })
    let builds = 0
    const entry = await cache.getOrCompile('key', ({ dir }) => {
      builds++
      expect(existsSync(dir), `before ${writer.reached}, call ${n}`).toBe(true)
      writeFileSync(join(dir, 'f'), 'x')
    })
    reached = writer.reached !== undefined
    expect(builds).toBe(1)
    await entry.release()
    expect(readdirSync(join(root, 'v1/stage'))).toEqual([])
  }
  expect(removed).toBeGreaterThan(0)
})

test.skipIf(realHost().native === null)(
  'a stage that gc removes just before it is locked: it is never handed to a build, and another is made',
  async () => {
    const root = scratch()
    const real = realHost()
    const stages = join(root, 'v1/stage')
    let removed = 0
    const flock: NonNullable<Host['native']>['flock'] = (fd, mode) => {
      for (const name of removed === 0 ? readdirSync(stages) : []) {
        // As gc does, which lets go before the writer locks what it has open.
        const theirs = openSync(join(stages, name), 'r')
        expect(real.native!.flock(theirs, 'exclusive')).toBe(true)
        rmSync(join(stages, name), { recursive: true })
        closeSync(theirs)
        removed++
      }
      return real.native!.flock(fd, mode)
    }
    mkdirSync(stages, { recursive: true })
    const cache = await openCacheOn({ ...real, native: { ...real.native!, flock } }, root, { strict: true })
    const seen: boolean[] = []
    const entry = await cache.getOrCompile('key', ({ dir }) => {
      seen.push(existsSync(dir))
      writeFileSync(join(dir, 'f'), 'x')
    })
    expect(removed).toBe(1)
    expect(seen).toEqual([true])
    await entry.release()
    expect(readdirSync(stages)).toEqual([])
  },
)
