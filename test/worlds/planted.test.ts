/** Things of other kinds that somebody put where the cache's own belong: the documented outcome for each. */
import { execFileSync } from 'node:child_process'
import { lstatSync, mkdirSync, readFileSync, readdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { openCache, withLock, writeDirectory, writeFile } from '../../src/index.js'
import { sha256 } from '../../src/host/hash.js'
import { Layout } from '../../src/store/layout.js'
import { useEvents } from '../support/events.js'
import { useScratch } from '../support/scratch.js'
import { leftIn } from '../support/tree.js'

const scratch = useScratch()
const events = useEvents()

const ID = sha256('"key"')
const fill = ({ dir }: { dir: string }): void => writeFileSync(join(dir, 'f'), 'ours')
const contentOf = (path: string): string => readFileSync(join(path, 'f'), 'utf8')

/** A directory of somebody's, which nothing here may touch. */
function victim(): string {
  const directory = scratch('victim')
  writeFileSync(join(directory, 'f'), 'theirs')
  return directory
}

const THINGS: [string, (path: string) => void][] = [
  ['a link to nowhere', (path) => symlinkSync('/nowhere/at/all', path)],
  ['a link to a directory', (path) => symlinkSync(victim(), path)],
  ['a link to a file', (path) => symlinkSync(join(victim(), 'f'), path)],
  ['a FIFO', (path) => execFileSync('mkfifo', [path])],
  ['an empty directory', (path) => mkdirSync(path)],
  ['a directory with other things in it', (path) => (mkdirSync(path), writeFileSync(join(path, 'x'), ''))],
  ['a file', (path) => writeFileSync(path, 'x')],
]

describe('at the name of an entry, it is set aside, and the entry compiled:', () => {
  test.each(THINGS)('%s', async (_name, plant) => {
    const root = scratch()
    const cache = await openCache(root, { strict: true })
    const place = new Layout(root).entry(ID)
    mkdirSync(dirname(place))
    plant(place)
    const entry = await cache.getOrCompile('key', fill)
    expect(entry.outcome).toBe('compiled')
    expect(contentOf(entry.path)).toBe('ours')
    expect(lstatSync(place).isDirectory()).toBe(true)
    expect(leftIn(root)).toEqual([])
  })
})

test.each(THINGS)('also when it comes during the build: %s', async (_name, plant) => {
  const root = scratch()
  const cache = await openCache(root, { strict: true })
  const place = new Layout(root).entry(ID)
  const entry = await cache.getOrCompile('key', (stage) => {
    fill(stage)
    mkdirSync(dirname(place))
    plant(place)
  })
  expect(contentOf(entry.path)).toBe('ours')
  expect(lstatSync(place).isDirectory()).toBe(true)
  expect(leftIn(root)).toEqual([])
})

test.each(THINGS.filter(([name]) => name !== 'a file'))(
  'at the name of a manifest, the entry is damaged and compiled anew: %s',
  async (_name, plant) => {
    const root = scratch()
    const cache = await openCache(root, { strict: true })
    await (await cache.getOrCompile('key', fill)).release()
    const manifest = join(new Layout(root).entry(ID), 'MANIFEST.json')
    rmSync(manifest)
    plant(manifest)
    const entry = await cache.getOrCompile('key', fill)
    expect(entry.outcome).toBe('compiled')
    expect(events('damaged')).toHaveLength(1)
  },
)

test.each(THINGS.filter(([name]) => name !== 'a file'))(
  'at the name of a lock it is UNSAFE_PATH, and by default a private result: %s',
  async (_name, plant) => {
    const root = scratch()
    const cache = await openCache(root)
    plant(await cache.lockPath('key'))
    await expect(cache.getOrCompile('key', fill, { strict: true })).rejects.toMatchObject({
      code: 'UNSAFE_PATH',
      hint: expect.stringContaining('remove it'),
    })
    const entry = await cache.getOrCompile('key', fill)
    expect(entry.outcome).toBe('private')
    expect(contentOf(entry.path)).toBe('ours')
    expect(events('degraded')).toMatchObject([{ root, key: '"key"', error: { code: 'UNSAFE_PATH' } }])
    await entry.release()
  },
)

test('a link at the name of a record is replaced, never written through', async () => {
  const root = scratch()
  const target = join(victim(), 'f')
  const cache = await openCache(root, { strict: true })
  const layout = new Layout(root)
  symlinkSync(target, layout.attempt(ID))
  symlinkSync(target, `${layout.lock(ID)}.owner.json`)
  await cache.getOrCompile('key', fill)
  expect(readFileSync(target, 'utf8')).toBe('theirs')
  expect(leftIn(root)).toEqual([])
})

test('a link at a shelf of entries is not followed out of the cache', async () => {
  const root = scratch()
  const elsewhere = victim()
  const cache = await openCache(root)
  await cache.locker()
  symlinkSync(elsewhere, dirname(new Layout(root).entry(ID)))
  await expect(cache.getOrCompile('key', fill, { strict: true })).rejects.toMatchObject({
    code: 'UNSAFE_PATH',
  })
  await using entry = await cache.getOrCompile('key', fill)
  expect(entry.outcome).toBe('private')
  expect(readdirSync(elsewhere)).toEqual(['f'])
})

describe('what a build leaves:', () => {
  test.each<[string, (dir: string) => void]>([
    ['a link that leads out', (dir) => symlinkSync('/etc/passwd', join(dir, 'l'))],
    ['a relative link that leads out', (dir) => symlinkSync('../../x', join(dir, 'l'))],
    ['a FIFO', (dir) => execFileSync('mkfifo', [join(dir, 'p')])],
    ['nothing', (dir) => rmSync(join(dir, 'f'))],
  ])('%s is BUILD_INVALID, and no reason to compile again privately', async (_name, spoil) => {
    const root = scratch()
    const cache = await openCache(root)
    let builds = 0
    const build = (stage: { dir: string }): void => {
      builds++
      fill(stage)
      spoil(stage.dir)
    }
    await expect(cache.getOrCompile('key', build)).rejects.toMatchObject({
      code: 'BUILD_INVALID',
      hint: /\w/,
    })
    expect(builds).toBe(1)
    expect(leftIn(root)).toEqual([])
  })
})

describe('at the target of writeFile:', () => {
  test.each(THINGS.filter(([name]) => !name.includes('director') || name.startsWith('a link')))(
    '%s is replaced, not followed',
    async (_name, plant) => {
      const path = join(scratch(), 'target')
      plant(path)
      await writeFile(path, 'ours')
      expect(lstatSync(path).isFile()).toBe(true)
      expect(readFileSync(path, 'utf8')).toBe('ours')
    },
  )

  test('a directory is TARGET_UNUSABLE, and stays', async () => {
    const directory = scratch()
    const path = join(directory, 'target')
    mkdirSync(path)
    await expect(writeFile(path, 'ours')).rejects.toMatchObject({ code: 'TARGET_UNUSABLE', hint: /\w/, path })
    expect(lstatSync(path).isDirectory()).toBe(true)
    expect(leftIn(join(directory, '.cachelatch'))).toEqual([])
  })
})

test.each(THINGS.filter(([name]) => !/^an? (empty )?directory/.test(name)))(
  'at the target of writeDirectory it is TARGET_UNUSABLE, before the filling: %s',
  async (_name, plant) => {
    const path = join(scratch(), 'target')
    plant(path)
    const before = lstatSync(path)
    let filled = 0
    for (const ifExists of ['keep', 'replace'] as const) {
      await expect(writeDirectory(path, () => void filled++, { ifExists })).rejects.toMatchObject({
        code: 'TARGET_UNUSABLE',
      })
    }
    expect(filled).toBe(0)
    expect(lstatSync(path).ino).toBe(before.ino)
  },
)

test.each<[string, (path: string) => void]>([
  ['a link', (path) => symlinkSync('/etc/passwd', path)],
  ['a FIFO', (path) => execFileSync('mkfifo', [path])],
  ['a directory', (path) => mkdirSync(path)],
])('%s at the lock of a path is UNSAFE_PATH for withLock and writeFile', async (_name, plant) => {
  const directory = scratch()
  const path = join(directory, 'target')
  await writeFile(join(directory, 'other'), 'makes the books')
  plant(join(directory, '.cachelatch/v1/locks/target.lock'))
  await expect(withLock(path, () => 1)).rejects.toMatchObject({ code: 'UNSAFE_PATH' })
  await expect(writeFile(path, 'x')).rejects.toMatchObject({ code: 'UNSAFE_PATH' })
})
