/** A cache that was moved: no file of a slot may name the place where the slot was. */
import { mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { expect, test } from 'vitest'
import { type PreparedWorker, prepareWorker } from '../../src/launch/worker.js'
import { useScratch } from '../support/scratch.js'

const scratch = useScratch()
const GROUP = 'HASH/__grp__kernel.json'

const tritonIn = (cache: string): Promise<PreparedWorker> =>
  prepareWorker({ cache, presets: ['triton'], env: {} })

test('a slot that ended well, then was moved with its cache, is seeded anew for its new path', async () => {
  const before = join(scratch(), 'cache')
  const first = await tritonIn(before)
  const was = first.env['TRITON_CACHE_DIR']!
  mkdirSync(join(was, dirname(GROUP)), { recursive: true })
  writeFileSync(join(was, dirname(GROUP), 'kernel.cubin'), 'machine code')
  writeFileSync(join(was, GROUP), JSON.stringify({ child_paths: { cubin: join(was, 'HASH/kernel.cubin') } }))
  first.started()
  await first.ended(0)

  const after = join(scratch(), 'moved')
  renameSync(before, after)
  const second = await tritonIn(after)
  const is = second.env['TRITON_CACHE_DIR']!
  expect(is).toBe(was.replace(before, after))
  expect(JSON.parse(readFileSync(join(is, GROUP), 'utf8'))).toEqual({
    child_paths: { cubin: join(is, 'HASH/kernel.cubin') },
  })
  await second.ended(0)
})
