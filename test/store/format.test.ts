/** format.json: all contenders of one cache agree on it, or say why they cannot. */
import { execFileSync } from 'node:child_process'
import { mkdirSync, readFileSync, readdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, describe, expect, test } from 'vitest'
import { openCache } from '../../src/index.js'
import { useScratch } from '../support/scratch.js'

const scratch = useScratch()
const strict = { strict: true } as const

/** A cache whose format.json is `text`. */
function cacheWith(text: string): string {
  const root = scratch()
  mkdirSync(join(root, 'v1'))
  writeFileSync(join(root, 'v1/format.json'), text)
  return root
}

const formatOf = (root: string): Record<string, unknown> =>
  JSON.parse(readFileSync(join(root, 'v1/format.json'), 'utf8')) as Record<string, unknown>

test('sixteen that create one cache at once agree on one format, and leave no draft', async () => {
  const root = scratch()
  const kinds = ['kernel', 'lockfile'] as const
  const opened = await Promise.allSettled(
    Array.from({ length: 16 }, (_, n) => openCache(root, { strict: true, locker: kinds[n % 2]! })),
  )
  const { locker } = formatOf(root)
  opened.forEach((result, n) => {
    if (kinds[n % 2] === locker) expect(result.status).toBe('fulfilled')
    else expect(result).toMatchObject({ status: 'rejected', reason: { code: 'LOCKER_MISMATCH' } })
  })
  expect(readdirSync(root)).toEqual(['v1'])
})

test('who asks for nothing follows the locker that the cache was created with', async () => {
  const root = scratch()
  await openCache(root, { ...strict, locker: 'lockfile', staleMs: 2_500 })
  expect(formatOf(root)).toMatchObject({ schema: 1, locker: 'lockfile', staleMs: 2_500 })
  expect(await (await openCache(root, strict)).locker()).toMatchObject({ kind: 'lockfile' })
})

test.each([
  ['a locker that this process does not have', { schema: 1, locker: 'etcd', epoch: 'e' }],
  ['a locker that excludes no other process', { schema: 1, locker: 'memory', epoch: 'e' }],
])('LOCKER_MISMATCH: %s', async (_name, format) => {
  await expect(openCache(cacheWith(JSON.stringify(format)), strict)).rejects.toMatchObject({
    code: 'LOCKER_MISMATCH',
    hint: expect.stringContaining('lockfile'),
  })
})

test.each([
  ['damaged', '{"schema":1,'],
  ['empty', ''],
  ['no object', '7'],
  ['null', 'null'],
  ['of another schema', '{"schema":2,"locker":"kernel","epoch":"e"}'],
  ['without a locker', '{"schema":1,"epoch":"e"}'],
  ['with a stale time that nobody can keep', '{"schema":1,"locker":"lockfile","epoch":"e","staleMs":5}'],
])('FORMAT_UNKNOWN: %s', async (_name, text) => {
  await expect(openCache(cacheWith(text), strict)).rejects.toMatchObject({
    code: 'FORMAT_UNKNOWN',
    hint: expect.stringContaining('remove the directory'),
  })
})

test.each<[string, (path: string) => void]>([
  ['a file of a gigabyte', (path) => execFileSync('truncate', ['-s', '1G', path])],
  ['a FIFO', (path) => execFileSync('mkfifo', [path])],
  ['a directory', (path) => mkdirSync(path)],
  ['a symbolic link', (path) => symlinkSync('/dev/zero', path)],
])('UNSAFE_PATH: %s at format.json is not read', async (_name, plant) => {
  const root = cacheWith('')
  rmSync(join(root, 'v1/format.json'))
  plant(join(root, 'v1/format.json'))
  await expect(openCache(root, strict)).rejects.toMatchObject({ code: 'UNSAFE_PATH', hint: /\w/ })
})

test.each(['v1', 'v1/entries', 'v1/stage', 'v1/locks'])(
  'UNSAFE_PATH: a link at %s is not followed',
  async (name) => {
    const root = scratch()
    const elsewhere = scratch()
    await openCache(root, strict)
    execFileSync('mv', [join(root, name), join(elsewhere, 'moved')])
    symlinkSync(join(elsewhere, 'moved'), join(root, name))
    await expect(openCache(root, strict)).rejects.toMatchObject({ code: 'UNSAFE_PATH' })
  },
)

test('directories that somebody removed are made again', async () => {
  const root = scratch()
  const cache = await openCache(root, strict)
  for (const name of ['entries', 'stage', 'attempts', 'trash', 'pins', 'locks']) {
    rmSync(join(root, 'v1', name), { recursive: true })
    const entry = await cache.getOrCompile(name, ({ dir }) => writeFileSync(join(dir, 'f'), name))
    expect(readFileSync(join(entry.path, 'f'), 'utf8')).toBe(name)
  }
})

describe('CACHELATCH_LOCKER', () => {
  afterEach(() => void delete process.env['CACHELATCH_LOCKER'])

  test('is the lock of a cache that is created, unless the caller asks for another', async () => {
    process.env['CACHELATCH_LOCKER'] = 'lockfile'
    const [root, other] = [scratch(), scratch()]
    await openCache(root, strict)
    await openCache(other, { ...strict, locker: 'kernel' })
    expect([root, other].map((each) => formatOf(each)['locker'])).toEqual(['lockfile', 'kernel'])
  })

  test('that names no lock is an error that names it', async () => {
    process.env['CACHELATCH_LOCKER'] = 'mkdir'
    const root = scratch()
    await expect(openCache(root, strict)).rejects.toMatchObject({
      code: 'LOCK_UNAVAILABLE',
      message: expect.stringContaining("'mkdir' (CACHELATCH_LOCKER)"),
    })
    expect(readdirSync(root)).toEqual([])
  })
})
