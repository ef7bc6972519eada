/** Two containers with one directory: two PID namespaces, both processes with pid 1, one host name. */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { setImmediate as nextTurn } from 'node:timers/promises'
import { describe, expect, test } from 'vitest'
import { type StatusReport, type Wait, openCache } from '../../src/index.js'
import { missing } from '../support/needs.js'
import { childrenOf } from '../support/proc.js'
import { useScratch } from '../support/scratch.js'
import { leftIn } from '../support/tree.js'
import { until } from '../support/until.js'
import { useWorkers } from '../support/use-workers.js'

const scratch = useScratch()
const start = useWorkers()
const CONTAINER = ['unshare', '--fork', '--pid', '--mount-proc', '--kill-child']
const MB = 1024 * 1024

describe.skipIf(missing('root', 'PID namespaces (unshare)'))('two containers', () => {
  test('that write one file of 32 MB for 5 s never disturb each other, and no reader sees a short or mixed one', async () => {
    const directory = scratch()
    const path = join(directory, 'graph.bin')
    const containers = [1, 2].map(() => start('container', [], {}, CONTAINER))
    const identities = await Promise.all(containers.map((container) => container.ask<object>('identity')))
    expect(identities[0]).toMatchObject({ pid: 1 })
    expect(identities[1]).toEqual(identities[0])

    const state = { writing: true }
    const writes = Promise.all(
      containers.map((container, n) => container.ask<number>('writeFor', path, 5_000, 32 * MB, n + 1)),
    ).finally(() => (state.writing = false))
    const seen = new Set<number>()
    let reads = 0
    while (state.writing) {
      await nextTurn()
      let bytes: Buffer
      try {
        bytes = readFileSync(path)
      } catch {
        continue // Before the first write.
      }
      expect(bytes.length).toBe(32 * MB)
      const words = new Uint32Array(bytes.buffer, bytes.byteOffset, bytes.length / 4)
      expect(words.every((word) => word === words[0])).toBe(true)
      seen.add(words[0]!)
      reads++
    }
    for (const count of await writes) expect(count).toBeGreaterThan(0)
    expect(reads).toBeGreaterThan(0)
    expect(seen.size).toBeGreaterThan(0)
    expect(leftIn(join(directory, '.cachelatch'))).toEqual([])
  })

  test('exclude each other, and a live owner in the other one is unknown, never dead', async () => {
    const path = join(scratch(), 'p')
    const [holder, waiter] = [1, 2].map(() => start('container', [], {}, CONTAINER))
    const holding = holder!.ask('hold', path)
    await until('the lock is held', () => holder!.noted('holding'))
    expect(await waiter!.ask<Wait>('lookWhoHolds', path)).toMatchObject({
      verdict: 'unknown',
      owner: { pid: 1 },
    })
    await holder!.ask('letGo')
    await holding
    expect(await waiter!.ask('lookWhoHolds', path)).toBeUndefined()
  })

  test('the host sees who holds a lock in a container; another container sees what was written down', async () => {
    const directory = scratch()
    const path = join(directory, 'p')
    const [holder, other] = [1, 2].map(() => start('container', [], {}, CONTAINER))
    const holding = holder!.ask('hold', path)
    await until('the lock is held', () => holder!.noted('holding'))
    const books = join(directory, '.cachelatch')
    const onHost = await openCache(books, { existing: true, strict: true })
    const seen = await until('it is on record', async () => {
      const { holders } = await onHost.status()
      return holders[0]?.since !== null && holders
    })
    const inside = childrenOf(holder!.pid).map(({ pid }) => pid)
    expect(seen).toMatchObject([{ lock: 'p', pid: inside[0], verdict: 'alive', source: 'kernel' }])
    expect(await other!.ask<StatusReport>('status', books)).toMatchObject({
      complete: false,
      holders: [{ lock: 'p', pid: 1, since: seen[0]!.since, verdict: 'unknown', source: 'record' }],
    })
    await holder!.ask('letGo')
    await holding
    expect(await other!.ask<StatusReport>('status', books)).toMatchObject({ holders: [] })
  })
})
