/** Python's filelock and this library take the same lock: each excludes the other. */
import { type ChildProcess, spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { afterEach, describe, expect, test } from 'vitest'
import { lockPath, openCache, withLock, writeFile } from '../../src/index.js'
import { missing } from '../support/needs.js'
import { childrenOf } from '../support/proc.js'
import { useScratch } from '../support/scratch.js'
import { until } from '../support/until.js'

const scratch = useScratch()
const started = new Set<ChildProcess>()
afterEach(async () => {
  for (const child of started) {
    if (child.exitCode === null && child.signalCode === null) {
      child.kill('SIGKILL')
      await once(child, 'exit')
    }
  }
  started.clear()
})

const HOLD = `
import os, sys, filelock
os.makedirs(os.path.dirname(sys.argv[1]), exist_ok=True)
with filelock.FileLock(sys.argv[1]):
    print("locked", flush=True)
    sys.stdin.readline()
print("released", flush=True)
sys.stdin.readline()
`
const TRY = `
import sys, filelock
try:
    filelock.FileLock(sys.argv[1]).acquire(timeout=0)
    print("free")
except filelock.Timeout:
    print("held")
`

/** A Python process that holds the lock until it is told to let go. */
async function pythonHolds(path: string): Promise<{ letGo: () => Promise<void> }> {
  const child = spawn('python3', ['-c', HOLD, path], { stdio: ['pipe', 'pipe', 'inherit'] })
  started.add(child)
  const lines = createInterface(child.stdout)[Symbol.asyncIterator]()
  expect(await lines.next()).toMatchObject({ value: 'locked' })
  return {
    async letGo() {
      child.stdin.write('\n')
      expect(await lines.next()).toMatchObject({ value: 'released' })
    },
  }
}

const pythonSees = (path: string): string =>
  spawnSync('python3', ['-c', TRY, path], { encoding: 'utf8' }).stdout.trim()

describe.skipIf(missing('linux', 'python3 with filelock'))("Python's FileLock", () => {
  test('on lockPath(target) excludes withLock and writeFile', async () => {
    const target = join(scratch(), 'graph.bin')
    const python = await pythonHolds(await lockPath(target))
    await expect(writeFile(target, 'x', { timeoutMs: 0 })).rejects.toMatchObject({ code: 'WAIT_TIMEOUT' })
    await expect(withLock(target, () => 1, { timeoutMs: 0 })).rejects.toMatchObject({ code: 'WAIT_TIMEOUT' })
    const waiting = writeFile(target, 'x')
    await until('it waits', () => childrenOf(process.pid).some(({ name }) => name === 'flock'))
    expect(existsSync(target)).toBe(false)
    await python.letGo()
    await waiting
    expect(existsSync(target)).toBe(true)
  })

  test('finds the lock held while withLock holds it, and free afterwards', async () => {
    const target = join(scratch(), 'graph.bin')
    const path = await lockPath(target)
    await withLock(target, () => expect(pythonSees(path)).toBe('held'))
    expect(pythonSees(path)).toBe('free')
    // What Python did to the file changed nothing for us.
    expect(await withLock(target, () => pythonSees(path), { timeoutMs: 0 })).toBe('held')
  })

  test('also when Python comes first and makes the directories itself', async () => {
    const directory = scratch()
    const target = join(directory, 'graph.bin')
    const path = join(directory, '.cachelatch/v1/locks/graph.bin.lock')
    const python = await pythonHolds(path)
    await expect(writeFile(target, 'x', { timeoutMs: 0 })).rejects.toMatchObject({ code: 'WAIT_TIMEOUT' })
    expect(await lockPath(target)).toBe(path)
    await python.letGo()
    await writeFile(target, 'x', { timeoutMs: 0 })
    await withLock(target, () => expect(pythonSees(path)).toBe('held'))
  })

  test("on a cache's lockPath(key) keeps others from building that key, and no other", async () => {
    const cache = await openCache(scratch(), { strict: true })
    const fill = ({ dir }: { dir: string }): void => writeFileSync(join(dir, 'f'), '')
    const path = await cache.lockPath({ model: 'a' })
    const python = await pythonHolds(path)
    await expect(cache.getOrCompile({ model: 'a' }, fill, { timeoutMs: 0 })).rejects.toMatchObject({
      code: 'WAIT_TIMEOUT',
    })
    expect((await cache.getOrCompile({ model: 'b' }, fill, { timeoutMs: 0 })).outcome).toBe('compiled')
    await python.letGo()
    const entry = await cache.getOrCompile({ model: 'a' }, (stage) => {
      expect(pythonSees(path)).toBe('held')
      fill(stage)
    })
    expect(entry.outcome).toBe('compiled')
    expect(pythonSees(path)).toBe('free')
  })
})
