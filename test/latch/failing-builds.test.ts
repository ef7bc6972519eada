/** Builds that fail, crash, or are given up: who is told, who tries again, and when it ends. */
import { readFileSync, readdirSync, utimesSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { openCache } from '../../src/index.js'
import type { BuildPlan } from '../processes/workers/latch.js'
import { nobodyWaits } from '../support/nobody-waits.js'
import { childrenOf } from '../support/proc.js'
import { useScratch } from '../support/scratch.js'
import { leftIn } from '../support/tree.js'
import { until } from '../support/until.js'
import { useWorkers } from '../support/use-workers.js'
import type { WorkerProcess } from '../support/worker-process.js'

const scratch = useScratch()
const start = useWorkers()

async function startWorker(root: string): Promise<WorkerProcess> {
  const worker = start('latch')
  await worker.ask('open', root)
  return worker
}

const buildsIn = (log: string): number => {
  try {
    return readFileSync(log, 'utf8').trim().split('\n').length
  } catch {
    return 0
  }
}

/** One worker builds as `plan` says and is stopped there; the others wait for it. */
async function oneBuildsOthersWait(
  root: string,
  others: number,
  plan: BuildPlan,
  command = 'fail',
): Promise<{
  builder: Promise<unknown>
  builderProcess: WorkerProcess
  waiters: Promise<unknown>[]
  go: () => void
}> {
  const gate = join(root, 'go')
  const builderProcess = await startWorker(root)
  const builder = builderProcess.ask(command, 'key', { ...plan, until: gate })
  await until('the build has begun', () => builderProcess.noted('building'))
  const processes = await Promise.all(Array.from({ length: others }, () => startWorker(root)))
  const waiters = processes.map((worker) => worker.ask(command, 'key', plan))
  // Waiting is in the kernel, by flock(1): a child of the waiter's.
  await until('all wait', () =>
    processes.every(({ pid }) => childrenOf(pid).some(({ name }) => name === 'flock')),
  )
  return { builder, builderProcess, waiters, go: () => writeFileSync(gate, '') }
}

test('who waits for a build that throws gets its error; who comes later builds again', async () => {
  const root = scratch()
  const log = join(root, 'log')
  const { builder, waiters, go } = await oneBuildsOthersWait(root, 4, { temper: 'throw', log })
  go()
  expect(await builder).toMatchObject({ name: 'RangeError', message: 'the layer is too wide' })
  for (const error of await Promise.all(waiters)) {
    expect(error).toMatchObject({
      code: 'BUILD_FAILED',
      message: expect.stringContaining('the layer is too wide'),
      hint: expect.stringContaining('builds again'),
      cause: { name: 'RangeError', message: 'the layer is too wide' },
    })
  }
  expect(buildsIn(log)).toBe(1)
  const later = await startWorker(root)
  expect(await later.ask('fail', 'key', { temper: 'throw', log })).toMatchObject({ name: 'RangeError' })
  expect(await later.ask('compile', 'key', { log })).toMatchObject({ outcome: 'compiled', whole: true })
  expect(buildsIn(log)).toBe(3)
  expect(leftIn(root)).toEqual([])
  expect(readdirSync(join(root, 'v1/attempts'))).toEqual([])
})

test('within one process as well: the second caller gets the error of the first', async () => {
  const cache = await openCache(scratch())
  let builds = 0
  const build = (): void => {
    builds++
    throw new Error('no kernel')
  }
  const [first, second] = await Promise.allSettled([
    cache.getOrCompile(1, build),
    cache.getOrCompile(1, build),
  ])
  expect(first).toMatchObject({ status: 'rejected', reason: { message: 'no kernel' } })
  expect(second).toMatchObject({
    status: 'rejected',
    reason: { code: 'BUILD_FAILED', cause: { message: 'no kernel' } },
  })
  expect(builds).toBe(1)
})

test("an abort is its caller's own affair: those who wait build", async () => {
  const root = scratch()
  const cache = await openCache(root)
  const controller = new AbortController()
  const reason = new Error('the job was cancelled')
  let begun = (): void => undefined
  const building = new Promise<void>((resolve) => (begun = resolve))
  const first = cache.getOrCompile(
    1,
    ({ signal }) =>
      new Promise((_, reject) => {
        begun()
        signal.addEventListener('abort', () => reject(new Error('stopped')))
      }),
    { signal: controller.signal },
  )
  await building
  const second = cache.getOrCompile(1, ({ dir }) => writeFileSync(join(dir, 'f'), ''))
  controller.abort(reason)
  await expect(first).rejects.toThrow('stopped')
  await expect(second).resolves.toMatchObject({ outcome: 'compiled' })
  expect(leftIn(root)).toEqual([])
})

test('a build that ends well after its caller gave up is not published', async () => {
  const root = scratch()
  const cache = await openCache(root)
  const controller = new AbortController()
  const reason = new Error('given up')
  await expect(
    cache.getOrCompile(
      1,
      ({ dir }) => {
        writeFileSync(join(dir, 'f'), '')
        controller.abort(reason)
      },
      { signal: controller.signal },
    ),
  ).rejects.toBe(reason)
  expect(await cache.get(1)).toBeNull()
  expect(readdirSync(join(root, 'v1/attempts'))).toEqual([])
})

test('a build that leaves nothing is a failed build, for those who waited as well', async () => {
  const cache = await openCache(scratch())
  const [first, second] = await Promise.allSettled([
    cache.getOrCompile(1, () => undefined),
    cache.getOrCompile(1, () => undefined),
  ])
  expect(first).toMatchObject({
    reason: { code: 'BUILD_INVALID', hint: expect.stringContaining('directory') },
  })
  expect(second).toMatchObject({ reason: { code: 'BUILD_FAILED', cause: { code: 'BUILD_INVALID' } } })
})

test('what became of a build that nobody has tried again is forgotten after a day', async () => {
  const root = scratch()
  const cache = await openCache(root)
  await expect(cache.getOrCompile(1, () => undefined)).rejects.toThrow()
  const attempts = join(root, 'v1/attempts')
  const [record = ''] = readdirSync(attempts)
  await cache.gc({ graceMs: 0 })
  expect(readdirSync(attempts)).toEqual([record])
  const twoDaysAgo = Date.now() / 1000 - 2 * 24 * 60 * 60
  utimesSync(join(attempts, record), twoDaysAgo, twoDaysAgo)
  await cache.gc()
  expect(readdirSync(attempts)).toEqual([])
})

test('a killed builder is succeeded by one of those who wait, and the others get its entry', async () => {
  const root = scratch()
  const log = join(root, 'log')
  const { builderProcess, waiters } = await oneBuildsOthersWait(root, 4, { log }, 'compile')
  await builderProcess.kill()
  const entries = (await Promise.all(waiters)) as { outcome: string; whole: boolean }[]
  expect(entries.map(({ outcome }) => outcome).sort()).toEqual(['compiled', 'waited', 'waited', 'waited'])
  expect(entries.every(({ whole }) => whole)).toBe(true)
  expect(buildsIn(log)).toBe(2)
})

test('a build that takes its process down three times is given up, and the way out is said', async () => {
  const root = scratch()
  const log = join(root, 'log')
  const crash = async (): Promise<unknown> => {
    const worker = await startWorker(root)
    worker.ask('fail', 'key', { temper: 'die', log }).catch(() => undefined)
    return worker.ended
  }
  for (let crashes = 1; crashes <= 3; crashes++) expect(await crash()).toBe('SIGKILL')
  expect(buildsIn(log)).toBe(3)

  const fourth = await startWorker(root)
  for (let again = 1; again <= 2; again++) {
    expect(await fourth.ask('fail', 'key', { log })).toMatchObject({
      code: 'BUILD_CRASHED',
      message: expect.stringContaining('three times in a row'.replace('three', '3')),
      hint: expect.stringContaining('retryCrashed: true'),
    })
  }
  expect(buildsIn(log)).toBe(3)
  expect(await fourth.ask('compile', 'key', { log }, { retryCrashed: true })).toMatchObject({
    outcome: 'compiled',
    whole: true,
  })
  expect(readdirSync(join(root, 'v1/attempts'))).toEqual([])
})

test('those who wait behind a build that kills everybody stop after the third', async () => {
  const root = scratch()
  const log = join(root, 'log')
  const { builderProcess, waiters, go } = await oneBuildsOthersWait(root, 5, { temper: 'die', log })
  go()
  expect(await builderProcess.ended).toBe('SIGKILL')
  const ends = await Promise.allSettled(waiters)
  expect(buildsIn(log)).toBe(3)
  expect(ends.filter(({ status }) => status === 'rejected')).toHaveLength(2)
  for (const end of ends.filter(({ status }) => status === 'fulfilled'))
    expect(end).toMatchObject({ value: { code: 'BUILD_CRASHED' } })
})

test('an error of the build that looks like one of the disk is the build’s: it is not run once more, privately', async () => {
  const cache = await openCache(scratch())
  for (const code of ['ENOENT', 'EACCES', 'ESTALE']) {
    const error = Object.assign(new Error('no such kernel'), { code })
    let builds = 0
    const build = (): never => {
      builds++
      throw error
    }
    await expect(cache.getOrCompile(code, build)).rejects.toBe(error)
    expect(builds, code).toBe(1)
  }
})

test('a build that is still running is no crash, to whomever a broken lock lets in', async () => {
  const root = scratch()
  let running = 0
  let proceed = (): void => undefined
  const all = new Promise<void>((resolve) => (proceed = resolve))
  const build = async ({ dir }: { dir: string }): Promise<void> => {
    if (++running === 5) proceed()
    await all
    writeFileSync(join(dir, 'f'), 'x')
  }
  const compiling: Promise<{ release: () => Promise<void> }>[] = []
  for (let come = 1; come <= 5; come++) {
    const cache = await openCache(root, { locker: nobodyWaits, strict: true })
    const ours = cache.getOrCompile('key', build)
    compiling.push(ours)
    await Promise.race([ours, until('it builds', () => running === come)])
  }
  for (const entry of await Promise.all(compiling)) await entry.release()
})
