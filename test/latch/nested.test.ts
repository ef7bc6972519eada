/** Code that runs under a lock and asks for it again: it never waits for itself. */
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { openCache, withLock, writeDirectory, writeFile } from '../../src/index.js'
import { useScratch } from '../support/scratch.js'

const scratch = useScratch()
const fill = ({ dir }: { dir: string }): void => writeFileSync(join(dir, 'f'), 'x')

test('a write, and a lock, of a path whose lock the caller holds does not wait for it', async () => {
  const directory = scratch()
  const path = join(directory, 'graph.bin')
  const once = { timeoutMs: 0 }
  await withLock(path, async () => {
    await writeFile(path, 'one', once)
    await withLock(path, () => writeFile(path, 'two', once), once)
    await writeDirectory(join(directory, 'other'), (dir) => writeFile(join(dir, 'f'), 'x', once), once)
  })
  expect(readFileSync(path, 'utf8')).toBe('two')
})

test('the lock of another path is another lock, also inside', async () => {
  const directory = scratch()
  const other = join(directory, 'b')
  await withLock(other, async () => {
    // Started outside of that lock's code: this one does have to wait.
    await withLock(join(directory, 'a'), () => writeFile(other, 'x', { timeoutMs: 0 }))
  })
  expect(readFileSync(other, 'utf8')).toBe('x')
})

test('what was started inside and lives on after the release waits like everybody', async () => {
  const path = join(scratch(), 'p')
  let lateWrite: () => Promise<void> = () => Promise.resolve()
  await withLock(path, () => {
    const inside = Promise.resolve()
    lateWrite = () => inside.then(() => writeFile(path, 'late', { timeoutMs: 0 }))
  })
  await withLock(path, async () => undefined)
  await lateWrite()
  expect(readFileSync(path, 'utf8')).toBe('late')
})

test.each(['kernel', 'memory'] as const)(
  'a build that asks for its own key is told so at once (%s)',
  async (locker) => {
    const cache = await openCache(scratch(), { locker, strict: true })
    const build = ({ dir }: { dir: string }): Promise<void> =>
      cache.getOrCompile('self', build).then(() => fill({ dir }))
    await expect(cache.getOrCompile('self', build)).rejects.toThrow(/asks for this very key/)
    // The mistake is the build's: another one is free to try.
    expect((await cache.getOrCompile('self', fill)).outcome).toBe('compiled')
  },
)

test('also by way of another key, another cache object, and without a usable cache', async () => {
  const root = scratch()
  const [a, b] = [await openCache(root), await openCache(join(root, '.'))]
  const first = (): Promise<void> => b.getOrCompile(2, second).then(() => undefined)
  const second = (): Promise<void> => a.getOrCompile(1, first).then(() => undefined)
  await expect(a.getOrCompile(1, first)).rejects.toThrow(/asks for this very key/)

  const noDirectory = join(scratch(), 'file')
  writeFileSync(noDirectory, '')
  const unusable = await openCache(noDirectory)
  const build = (): Promise<void> => unusable.getOrCompile(1, build).then(() => undefined)
  await expect(unusable.getOrCompile(1, build)).rejects.toThrow(/asks for this very key/)
})

test('a build may need other keys', async () => {
  const cache = await openCache(scratch())
  const entry = await cache.getOrCompile('whole', async ({ dir }) => {
    const parts = await Promise.all(['a', 'b'].map((key) => cache.getOrCompile(key, fill)))
    writeFileSync(join(dir, 'f'), parts.map(({ path }) => readFileSync(join(path, 'f'), 'utf8')).join(''))
  })
  expect(readFileSync(join(entry.path, 'f'), 'utf8')).toBe('xx')
})

test('who shares a lock shares it inside too, and is told at once that it cannot write there', async () => {
  const path = join(scratch(), 'graph.bin')
  const sharing = { shared: true, timeoutMs: 0 }
  await withLock(
    path,
    async () => {
      expect(await withLock(path, () => 'inside', sharing)).toBe('inside')
      await expect(writeFile(path, 'x', { timeoutMs: 0 })).rejects.toThrow(TypeError)
      await expect(withLock(path, () => undefined)).rejects.toThrow(/take it alone/)
    },
    sharing,
  )
  await withLock(path, () => withLock(path, () => writeFile(path, 'alone'), sharing))
  expect(readFileSync(path, 'utf8')).toBe('alone')
})
