/** Removing a tree in which somebody else may write: whatever is swapped in meanwhile, nothing outside of it goes. */
import { mkdirSync, readFileSync, readdirSync, renameSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { beforeEach, describe, expect, test } from 'vitest'
import { removeTree } from '../../src/host/trees.js'
import { missing } from '../support/needs.js'
import { usePausePoints } from '../support/pause-points.js'
import { useScratch } from '../support/scratch.js'

const scratch = useScratch()
const after = usePausePoints()

let outside: string
let tree: string

beforeEach(() => {
  outside = scratch('outside')
  tree = join(scratch('inside'), 'tree')
  for (const directory of [join(outside, 'b'), join(tree, 'a/b')]) mkdirSync(directory, { recursive: true })
  for (const file of [join(outside, 'f'), join(outside, 'b/f'), join(tree, 'a/f'), join(tree, 'a/b/f')])
    writeFileSync(file, 'dear')
})

const intact = (): void => {
  expect((readdirSync(outside, { recursive: true }) as string[]).sort()).toEqual(['b', 'b/f', 'f'])
  expect(readFileSync(join(outside, 'b/f'), 'utf8')).toBe('dear')
}

const swap = (path: string): void => {
  renameSync(path, join(outside, '../aside'))
  symlinkSync(outside, path)
}

test('a tree is removed, with the links in it, and not what they lead to', async () => {
  symlinkSync(outside, join(tree, 'a/link'))
  symlinkSync(tree, join(tree, 'a/b/loop'))
  await removeTree(tree)
  expect(readdirSync(join(tree, '..'))).toEqual([])
  await removeTree(tree)
  intact()
})

test('a link itself is removed', async () => {
  const link = join(tree, '../link')
  symlinkSync(outside, link)
  await removeTree(link)
  expect(readdirSync(join(tree, '..'))).toEqual(['tree'])
  intact()
})

describe.skipIf(missing('linux'))('where somebody is faster:', () => {
  test('a directory that becomes a link after it was seen is not entered', async () => {
    after(
      'unlink',
      (path) => path.endsWith('/a'),
      () => swap(join(tree, 'a')),
    )
    await expect(removeTree(tree)).rejects.toMatchObject({ code: /ENOTDIR|ELOOP/ })
    intact()
  })

  test('of a directory that becomes a link after it was opened, what it was is emptied', async () => {
    let reads = 0
    after(
      'readdir',
      () => ++reads === 2,
      () => swap(join(tree, 'a')),
    )
    await expect(removeTree(tree)).rejects.toMatchObject({ code: 'ENOTDIR' })
    expect(readdirSync(join(outside, '../aside'))).toEqual([])
    intact()
    rmSync(join(outside, '../aside'), { recursive: true })
  })

  test('through a link above, nothing is removed', async () => {
    const link = join(tree, '../link')
    symlinkSync(outside, link)
    await expect(removeTree(join(link, 'b'))).rejects.toMatchObject({ code: 'UNSAFE_PATH', hint: /\w/ })
    intact()
  })

  test('what is nested deeper than anything of ours takes no more descriptors than a few hundred', async () => {
    let deep = tree
    for (let level = 0; level < 300; level++) deep += '/d'
    mkdirSync(deep, { recursive: true })
    await expect(removeTree(tree)).rejects.toMatchObject({ code: 'UNSAFE_PATH', hint: /\w/ })
  })
})
