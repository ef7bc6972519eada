/** What the checker holds to be possible. */
import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { useScratch } from '../support/scratch.js'
import { type Choose, MODELS, remainsAfter } from './power-cut.js'
import { RecordedDisk } from './recorded-disk.js'

const scratch = useScratch()

/** One choice after another, each a digit of `number`. */
function choicesOf(number: number): Choose {
  let rest = number
  return (count) => {
    const choice = rest % count
    rest = Math.floor(rest / count)
    return choice
  }
}

test.each(MODELS)('%s: two directories that are exchanged are both there, whatever is lost', (model) => {
  const top = scratch()
  for (const directory of ['old/1', 'stage/new/2']) mkdirSync(join(top, directory), { recursive: true })
  const disk = new RecordedDisk(top)
  disk.observe('renameat2', [join(top, 'old'), join(top, 'stage/new')], true, 0)
  const seen = new Set<string>()
  for (let number = 0; number < 64; number++) {
    const choose = choicesOf(number)
    const remains = remainsAfter(disk, disk.now, model, { names: choose, data: choose, order: choose })
    seen.add(JSON.stringify(namesIn(remains)))
  }
  const before = { old: { 1: {} }, stage: { new: { 2: {} } } }
  const after = { old: { 2: {} }, stage: { new: { 1: {} } } }
  expect([...seen].sort()).toEqual([before, after].map((tree) => JSON.stringify(tree)).sort())
})

function namesIn(remains: unknown): unknown {
  if (!(remains instanceof Map)) return null
  return Object.fromEntries([...remains].map(([name, below]) => [name, namesIn(below)]))
}
