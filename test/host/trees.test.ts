import { execFileSync } from 'node:child_process'
import { chmodSync, chownSync, mkdirSync, readdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { missing } from '../support/needs.js'
import { useScratch } from '../support/scratch.js'

const scratch = useScratch()
const TREES = join(import.meta.dirname, '../../src/host/trees.js')
const NOBODY = 65_534

// As root, there is nothing that may not be removed.
test.skipIf(missing('root'))('a tree with directories that are not writable is removed by its owner', () => {
  const parent = scratch()
  chmodSync(join(parent, '..'), 0o755)
  const tree = join(parent, 'tree')
  for (const name of ['', 'a', 'a/b']) {
    mkdirSync(join(tree, name))
    writeFileSync(join(tree, name, 'f'), '')
    chownSync(join(tree, name), NOBODY, NOBODY)
  }
  chownSync(parent, NOBODY, NOBODY)
  for (const name of ['a/b', 'a', '']) chmodSync(join(tree, name), 0o500)
  const script = `
    const { removeTree } = await import(${JSON.stringify(TREES)})
    await removeTree(${JSON.stringify(join(parent, 'nothing'))})
    process.setgroups([]); process.setgid(${NOBODY}); process.setuid(${NOBODY})
    await removeTree(${JSON.stringify(tree)})`
  execFileSync(process.execPath, ['--input-type=module', '-e', script])
  expect(readdirSync(parent)).toEqual([])
})
