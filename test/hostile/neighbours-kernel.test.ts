/** Hostile neighbours of a cache with the kernel lock: see neighbours.ts. */
import { expect, test } from 'vitest'
import { missing } from '../support/needs.js'
import { tryAll } from './neighbours.js'

test.skipIf(missing('linux', 'python3'))('nothing leads out of the cache, with the kernel lock', async () => {
  expect(await tryAll('kernel')).toEqual([])
})
