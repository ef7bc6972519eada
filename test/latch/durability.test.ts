import { readFileSync, writeFileSync } from 'node:fs'
import { afterEach, expect, test } from 'vitest'
import type { Disk } from '../../src/host/disk.js'
import { realHost } from '../../src/host/host.js'
import { openCacheOn } from '../../src/latch/cache.js'
import { useScratch } from '../support/scratch.js'

const scratch = useScratch()
const warnings: string[] = []
const listen = (warning: Error & { code?: string }): void => void warnings.push(warning.code ?? '')

afterEach(() => {
  process.off('warning', listen)
  warnings.splice(0)
})

/** A disk that writes everything, and cannot bring the names of entries to the device. */
function forgetful(disk: Disk): Disk {
  const shelves = new Set<number>()
  return {
    ...disk,
    async openRead(path) {
      const fd = await disk.openRead(path)
      if (/\/entries\/..$/.test(path)) shelves.add(fd)
      else shelves.delete(fd)
      return fd
    },
    async sync(fd) {
      if (shelves.has(fd)) throw Object.assign(new Error('EIO'), { code: 'EIO' })
      return disk.sync(fd)
    },
  }
}

test('an entry whose name may not survive a power cut is published, and that is said', async () => {
  process.on('warning', listen)
  const host = realHost()
  const cache = await openCacheOn(
    { ...host, diskFor: (fileSystem) => forgetful(host.diskFor(fileSystem)) },
    scratch('cache'),
    { strict: true },
  )
  const entry = await cache.getOrCompile('key', ({ dir }) => writeFileSync(`${dir}/out`, 'compiled'))
  expect(entry.outcome).toBe('compiled')
  expect(readFileSync(`${entry.path}/out`, 'utf8')).toBe('compiled')
  await entry.release()
  await new Promise((resolve) => setImmediate(resolve))
  expect(warnings).toContain('CACHELATCH_NOT_DURABLE')
})
