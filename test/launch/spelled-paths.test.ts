/** The path of a slot as programs write it into their files: found, however it is spelled, and spelled the same again. */
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { expect, test } from 'vitest'
import { type PreparedWorker, prepareWorker } from '../../src/launch/worker.js'
import { useScratch } from '../support/scratch.js'

const scratch = useScratch()
const GROUP = 'HASH/__grp__kernel.json'

const tritonIn = (cache: string): Promise<PreparedWorker> =>
  prepareWorker({ cache, presets: ['triton'], env: {} })

/** As Python's json.dumps does. */
function asciiJson(value: unknown): string {
  return JSON.stringify(value).replaceAll(
    /[^\0-\x7f]/g,
    (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`,
  )
}

test.each([
  ['plain', asciiJson],
  ['jörg', asciiJson],
  ['jörg', JSON.stringify],
  ['日本 \u{1f980}', asciiJson],
  ['a "quote" and a \\', asciiJson],
])('a group of Triton below %j names the slot that it was seeded into', async (name, write) => {
  const cache = join(scratch(), name)
  const first = await tritonIn(cache)
  const one = first.env['TRITON_CACHE_DIR']!
  mkdirSync(join(one, dirname(GROUP)), { recursive: true })
  writeFileSync(join(one, 'HASH/kernel.cubin'), 'machine code')
  writeFileSync(join(one, GROUP), write({ child_paths: { cubin: join(one, 'HASH/kernel.cubin') } }))
  first.started()
  await first.ended(0)

  // Takes the first slot again, so that the next worker is seeded into another.
  const blocking = await tritonIn(cache)
  const second = await tritonIn(cache)
  const other = second.env['TRITON_CACHE_DIR']!
  expect(other).not.toBe(one)
  const text = readFileSync(join(other, GROUP), 'utf8')
  expect(JSON.parse(text)).toEqual({ child_paths: { cubin: join(other, 'HASH/kernel.cubin') } })
  expect(text).toBe(write(JSON.parse(text)))
  await second.ended(0)
  await blocking.ended(0)
})
