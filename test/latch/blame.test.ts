/** A build to which the disk reports an error is not to blame, and a worker goes on without the cache. */
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { openCache } from '../../src/index.js'
import { useScratch } from '../support/scratch.js'

const scratch = useScratch()

test('a write that fails with EIO, which is what sshfs makes of a full disk: a private result', async () => {
  const root = scratch()
  const cache = await openCache(root)
  await using entry = await cache.getOrCompile('model', ({ dir }) => {
    if (dir.startsWith(root))
      throw Object.assign(new Error('EIO: i/o error, write'), { code: 'EIO', errno: -5 })
    writeFileSync(join(dir, 'f'), 'x')
  })
  expect(entry.outcome).toBe('private')
})
