/** What the repository shows of the bench is what was measured: nobody has touched it by hand. */
import { readFileSync } from 'node:fs'
import { join, relative } from 'node:path'
import { expect, test } from 'vitest'
import { drawResults } from '../../bench/results.js'
import { useScratch } from '../support/scratch.js'

const REPOSITORY = join(import.meta.dirname, '../../..')

const scratch = useScratch()

test('the page and the pictures of the bench are those of latest.json', () => {
  const into = scratch()
  const drawn = drawResults(undefined, into)
  expect(drawn.length).toBeGreaterThan(1)
  for (const path of drawn) {
    const name = relative(into, path)
    expect([name, readFileSync(path, 'utf8')]).toEqual([name, readFileSync(join(REPOSITORY, name), 'utf8')])
  }
})
