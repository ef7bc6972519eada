/** What is taken out of the cache by mistake, and what its mover and others then do with it. */
import { existsSync, readFileSync, readdirSync, renameSync, truncateSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { type Cache, openCache } from '../../src/index.js'
import { canonicalKey } from '../../src/core/key.js'
import { sha256 } from '../../src/host/hash.js'
import { directDisk } from '../../src/host/disk.js'
import { Layout } from '../../src/store/layout.js'
import { quarantine } from '../../src/store/quarantine.js'
import { emptyTrash, moveOut } from '../../src/store/trash.js'
import { useScratch } from '../support/scratch.js'
import { put } from '../support/shelf.js'
import { recordedHost } from '../support/recorded-disk.js'
import { atCall } from '../support/stopping-disk.js'
import { below } from '../support/tree.js'

const scratch = useScratch()
const TOKEN = 'a'.repeat(32)

test('two who saw one damage, and the faster compiles anew before any call of the slower: its entry stays', async () => {
  const put10 = (cache: Cache): Promise<string> => put(cache, 'key', 10)
  for (let n = 1, reached = true; reached; n++) {
    const root = scratch()
    const cache = await openCache(root, { strict: true })
    const path = await put10(cache)
    truncateSync(join(path, 'files/f'), 3)
    const faster = atCall(n, async () => {
      await cache.remove('key')
      await put10(cache)
    })
    const disk = faster.host.diskFor(faster.host.inspect(root))
    const key = canonicalKey('key')
    await quarantine(disk, new Layout(root), { id: sha256(key), key, check: 'sizes', token: TOKEN })
    reached = faster.reached !== undefined
    const there = existsSync(path) ? readFileSync(join(path, 'files/f'), 'utf8').length : 0
    expect(there, `before ${faster.reached}, call ${n}`).toBe(reached ? 10 : 0)
    expect(below(join(root, 'v1/trash'))).toEqual([])
  }
})

test('what is deleted in the trash was renamed before: nobody can put back a half of it', async () => {
  const root = scratch()
  const layout = new Layout(root)
  const path = await put(await openCache(root, { strict: true }), 'key', 10)
  const place = layout.discarded(TOKEN)
  renameSync(path, place)
  const { host, steps } = recordedHost()
  expect(await emptyTrash(host.diskFor(host.inspect(root)), layout, Date.now() + 1, 0)).toBe(1)
  expect(steps).toEqual([`rename ${place} ${place}.doomed`])
})

test('what is put back while another empties the trash is there whole, or not at all', async () => {
  const outcomes = new Set<string>()
  /** The mover stands still, for longer than any grace time, until the other makes its n-th call; then it was wrong. */
  const putBackAt = async (n: number): Promise<boolean> => {
    const root = scratch()
    const layout = new Layout(root)
    const path = await put(await openCache(root, { strict: true }), 'key', 10)
    const whole = below(path)
    let reached = false
    const isMeant = async (place: string): Promise<boolean> => {
      const other = atCall(n, () => {
        if (existsSync(place)) renameSync(place, path)
      })
      await emptyTrash(other.host.diskFor(other.host.inspect(root)), layout, Date.now() + 1, 0)
      reached = other.reached !== undefined
      return false
    }
    await moveOut(directDisk, layout, { path, token: TOKEN, isMeant })
    const left = below(path)
    if (left.length > 0) expect(left, `put back before call ${n}`).toEqual(whole)
    outcomes.add(left.length > 0 ? 'whole' : 'gone')
    expect(readdirSync(layout.trash)).toEqual([])
    return reached
  }
  for (let n = 1; await putBackAt(n);) n++
  expect([...outcomes].sort()).toEqual(['gone', 'whole'])
})
