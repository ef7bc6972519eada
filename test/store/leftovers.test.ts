/** What is cleared up behind the dead must not be taken from the living. */
import { existsSync, mkdirSync, readdirSync, utimesSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { openCache } from '../../src/index.js'
import { directDisk } from '../../src/host/disk.js'
import { realHost } from '../../src/host/host.js'
import { HeldDirectory } from '../../src/lock/held-directory.js'
import { openCacheOn } from '../../src/latch/cache.js'
import { recordedHost } from '../support/recorded-disk.js'
import { useScratch } from '../support/scratch.js'
import { atCall } from '../support/stopping-disk.js'

const scratch = useScratch()
const TOKEN = 'a'.repeat(32)
const HOUR = 60 * 60 * 1000

test('what is young is left alone, of every kind; what is old goes', async () => {
  const cache = await openCache(scratch(), { strict: true })
  const top = join(cache.root, 'v1')
  const directories = [join(top, `stage/${TOKEN}`), join(top, `locks/model.held-${TOKEN}`)]
  const files = [join(top, `attempts/x.json.${TOKEN}`), join(top, `locks/model.owner.json.${TOKEN}`)]
  for (const path of directories) mkdirSync(path)
  for (const path of files) writeFileSync(path, '')
  const left = [...directories, ...files]
  expect(await cache.gc()).toMatchObject({ leftovers: 0 })
  expect(left.filter((path) => !existsSync(path))).toEqual([])
  const then = (Date.now() - HOUR) / 1000
  for (const path of left) utimesSync(path, then, then)
  expect(await cache.gc()).toMatchObject({ leftovers: left.length })
  expect(left.filter((path) => existsSync(path))).toEqual([])
})

test('a candidate that is about to be renamed is a lock with its token, or none: at every step of gc', async () => {
  const outcomes = new Set<string>()
  for (let n = 1, reached = true; reached; n++) {
    const root = scratch()
    await openCache(root, { locker: 'lockfile', strict: true })
    const path = join(root, 'v1/locks/model')
    const candidate = `${path}.held-${TOKEN}`
    // Its taker was stopped for long just before the rename, and goes on while gc is at it.
    mkdirSync(candidate)
    writeFileSync(join(candidate, TOKEN), '')
    const taker = atCall(n, () => directDisk.rename(candidate, `${path}.held`).catch(() => undefined))
    const collector = await openCacheOn(taker.host, root, { strict: true })
    await collector.gc({ graceMs: 0 })
    reached = taker.reached !== undefined
    const isTaken = existsSync(`${path}.held`)
    if (isTaken) expect(readdirSync(`${path}.held`), `before ${taker.reached}, call ${n}`).toEqual([TOKEN])
    outcomes.add(isTaken ? 'taken' : 'removed')
    expect(await new HeldDirectory(realHost().diskFor(realHost().inspect(root)), path).holder()).toBe(
      isTaken ? TOKEN : null,
    )
  }
  expect([...outcomes].sort()).toEqual(['removed', 'taken'])
})

test.each([
  ['a candidate', 'lockfile', `locks/model.held-${TOKEN}`],
  ['a stage', 'kernel', `stage/${TOKEN}`],
] as const)(
  '%s leaves by one rename: its maker, whom no lock has protected, has all of it, or nothing',
  async (_what, locker, name) => {
    const root = scratch()
    await openCache(root, { locker, strict: true })
    const directory = join(root, 'v1', name)
    mkdirSync(directory)
    writeFileSync(join(directory, TOKEN), '')
    const { host, steps } = recordedHost()
    const collector = await openCacheOn(host, root, { strict: true })
    expect(await collector.gc({ graceMs: 0 })).toMatchObject({ leftovers: 1 })
    const first = steps.find(
      (step) => /^(rename|unlink|rmdir|removeTree) /.test(step) && step.includes(TOKEN),
    )
    expect(first).toMatch(`rename ${directory} ${join(root, 'v1/trash')}`)
  },
)
