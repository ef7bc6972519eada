/** Whole directories: published in one step, with the modes, links and empty directories of the build. */
import {
  chmodSync,
  existsSync,
  linkSync,
  mkdirSync,
  readFileSync,
  readdirSync,
  readlinkSync,
  statSync,
} from 'node:fs'
import { symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { openCache, writeDirectory } from '../../src/index.js'
import { useScratch } from '../support/scratch.js'
import { leftIn } from '../support/tree.js'
import { until } from '../support/until.js'
import { useWorkers } from '../support/use-workers.js'

// Ten thousand files are synced one by one: in memory, where there is some.
if (existsSync('/dev/shm')) process.env['TMPDIR'] = '/dev/shm'

const scratch = useScratch()
const start = useWorkers()
const modeOf = (path: string): number => statSync(path).mode & 0o7777

function fillLarge(dir: string): void {
  for (let n = 0; n < 10_000; n++) writeFileSync(join(dir, `kernel-${n}`), `${n}`)
}

test('a directory of 10 000 files appears in one piece, and is replaced in one piece', async () => {
  const directory = scratch()
  const path = join(directory, 'kernels')
  for (const [round, expected] of [
    ['written', [-1, 10_000]],
    ['replaced', [10_000]],
  ] as const) {
    const watcher = start('latch')
    const stop = join(directory, round)
    const seen = watcher.ask<number[]>('countAllTheTime', path, stop)
    await until('the watcher looks', () => watcher.noted('counting'))
    expect(await writeDirectory(path, fillLarge, { ifExists: 'replace' })).toEqual({ outcome: round })
    writeFileSync(stop, '')
    for (const count of await seen) expect(expected).toContain(count)
  }
  expect(leftIn(join(directory, '.cachelatch'))).toEqual([])
})

test('an entry of 10 000 files appears in one piece', async () => {
  const root = scratch()
  const cache = await openCache(root, { strict: true })
  const entry = await cache.getOrCompile('large', ({ dir }) => fillLarge(dir))
  expect(readdirSync(entry.path)).toHaveLength(10_000)
  expect((await cache.getOrCompile('large', () => expect.unreachable(), { check: 'hashes' })).outcome).toBe(
    'hit',
  )
})

test('modes, empty directories and links inside are kept; hard links are cut', async () => {
  const root = scratch()
  const outside = join(scratch(), 'outside.so')
  writeFileSync(outside, 'shared')
  const cache = await openCache(root, { strict: true })
  const { path } = await cache.getOrCompile('key', ({ dir }) => {
    mkdirSync(join(dir, 'bin/empty'), { recursive: true })
    writeFileSync(join(dir, 'bin/tool'), '#!/bin/sh\n', { mode: 0o755 })
    writeFileSync(join(dir, 'secret'), 'x', { mode: 0o600 })
    chmodSync(join(dir, 'bin'), 0o750)
    symlinkSync('bin/tool', join(dir, 'tool'))
    linkSync(outside, join(dir, 'lib.so'))
    chmodSync(outside, 0o640)
  })
  expect(modeOf(join(path, 'bin/tool'))).toBe(0o755)
  expect(modeOf(join(path, 'secret'))).toBe(0o600)
  expect(modeOf(join(path, 'bin'))).toBe(0o750)
  expect(readlinkSync(join(path, 'tool'))).toBe('bin/tool')
  expect(readdirSync(join(path, 'bin/empty'))).toEqual([])
  writeFileSync(outside, 'written in place later')
  expect(readFileSync(join(path, 'lib.so'), 'utf8')).toBe('shared')
  expect(modeOf(join(path, 'lib.so'))).toBe(0o640)
})

test('a directory that is there is kept, and the function not even called; an empty one is filled', async () => {
  const path = join(scratch(), 'd')
  mkdirSync(path)
  const write = (text: string) => (dir: string) => writeFileSync(join(dir, 'f'), text)
  expect(await writeDirectory(path, write('one'))).toEqual({ outcome: 'written' })
  expect(await writeDirectory(path, () => expect.unreachable())).toEqual({ outcome: 'kept' })
  expect(await writeDirectory(path, write('two'), { ifExists: 'replace' })).toEqual({ outcome: 'replaced' })
  expect(readFileSync(join(path, 'f'), 'utf8')).toBe('two')
})
