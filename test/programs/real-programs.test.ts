/** The programs themselves, in slots: no error, one result, and the second start finds all that the first has made. */
import { readdirSync, renameSync, statSync, truncateSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { type Need, missing } from '../support/needs.js'
import { NODE_24, type WorkerReport, pythonOf, runInSlots, runProgram, worker } from '../support/programs.js'
import { useScratch } from '../support/scratch.js'

const scratch = useScratch()

interface Program {
  preset: string
  need: Need
  workers: number
  command: (sources: string) => string[]
}

const PROGRAMS: Program[] = [
  {
    preset: 'jax',
    need: 'JAX',
    workers: 8,
    command: () => [pythonOf('jax'), worker('jax_worker.py')],
  },
  {
    preset: 'triton',
    need: 'Triton',
    workers: 8,
    command: () => [pythonOf('triton'), worker('triton_worker.py'), 'compile'],
  },
  {
    preset: 'numba',
    need: 'Numba',
    workers: 4,
    command: () => [pythonOf('numba'), worker('numba_worker.py')],
  },
  {
    preset: 'node',
    need: 'Node 24',
    workers: 8,
    command: (sources) => [NODE_24, worker('node_worker.mjs'), sources, '20'],
  },
  {
    preset: 'vllm',
    need: 'python3',
    workers: 8,
    command: () => ['python3', worker('vllm_layout_worker.py'), 'llama'],
  },
]

describe.each(PROGRAMS)('$preset', ({ preset, need, workers, command }) => {
  test.skipIf(missing(need))('cold together, then warm, and warm after the cache was moved', async () => {
    const sources = scratch('sources')
    const before = join(scratch(), 'cache')
    const cold = await runInSlots(before, preset, workers, command(sources))
    expect(troubles(cold)).toEqual([])
    expect(new Set(cold.map(({ cacheDir }) => cacheDir)).size).toBe(workers)
    const compiles = cold[0]!.hits + cold[0]!.misses
    expect(compiles).toBeGreaterThan(0)

    const warm = await runInSlots(before, preset, workers, command(sources))
    const after = join(scratch(), 'moved')
    renameSync(before, after)
    const moved = await runInSlots(after, preset, workers, command(sources))
    for (const reports of [warm, moved]) {
      expect(troubles(reports)).toEqual([])
      expect(reports.map(({ hits, misses }) => `${hits} hits, ${misses} misses`)).toEqual(
        Array(workers).fill(`${compiles} hits, 0 misses`),
      )
    }
    expect(new Set([...cold, ...warm, ...moved].map(({ checksum }) => checksum)).size).toBe(1)
    expect(moved.every(({ cacheDir }) => cacheDir.startsWith(after))).toBe(true)
  })
})

describe.skipIf(missing('JAX'))('an entry of JAX that a killed worker has left half-written', () => {
  const jax = [pythonOf('jax'), worker('jax_worker.py'), '1']

  test('in a shared directory is warned about at every later start', async () => {
    const shared = { JAX_COMPILATION_CACHE_DIR: scratch('shared') }
    await runProgram(jax, shared)
    truncateLargest(shared.JAX_COMPILATION_CACHE_DIR)
    for (const start of [1, 2]) {
      const { errors } = await runProgram(jax, shared)
      expect(errors, `start ${start}`).toEqual([
        expect.stringMatching(/Error reading persistent compilation cache/),
      ])
    }
  })

  test('in a slot is never seen again', async () => {
    const cache = join(scratch(), 'cache')
    const [good] = await runInSlots(cache, 'jax', 1, jax)
    // The worker ends as one does that is killed in the midst of a write.
    const torn = `"$@"; f=$(ls -S "$JAX_COMPILATION_CACHE_DIR"/*-cache | head -1); truncate -s 100 "$f"; kill -9 $$`
    await runInSlots(cache, 'jax', 1, ['sh', '-c', torn, 'sh', ...jax])
    const [next] = await runInSlots(cache, 'jax', 1, jax)
    expect(next).toMatchObject({ errors: [], misses: 0, exitCode: 0, checksum: good!.checksum })
  })
})

function troubles(reports: readonly WorkerReport[]): string[] {
  return reports.flatMap(({ errors, exitCode, stderr }) =>
    exitCode === 0 ? errors : [...errors, `exit code ${exitCode}: ${stderr}`],
  )
}

function truncateLargest(directory: string): void {
  const paths = readdirSync(directory).map((name) => join(directory, name))
  const [largest] = paths.sort((a, b) => statSync(b).size - statSync(a).size)
  truncateSync(largest!, 100)
}
