/** Links, FIFOs and the like that come during a build, or are built; what lies there before is in outcomes.test.ts. */
import { execFileSync } from 'node:child_process'
import { lstatSync, mkdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { openCache, writeDirectory } from '../../src/index.js'
import { sha256 } from '../../src/host/hash.js'
import { Layout } from '../../src/store/layout.js'
import { useScratch } from '../support/scratch.js'
import { leftIn } from '../support/tree.js'

const scratch = useScratch()

const ID = sha256('"key"')
const fill = ({ dir }: { dir: string }): void => writeFileSync(join(dir, 'f'), 'ours')
const contentOf = (path: string): string => readFileSync(join(path, 'f'), 'utf8')

/** A directory of somebody's, which nothing here may touch. */
function victim(): string {
  const directory = scratch('victim')
  writeFileSync(join(directory, 'f'), 'theirs')
  return directory
}

const THINGS: [string, (path: string) => void][] = [
  ['a link to nowhere', (path) => symlinkSync('/nowhere/at/all', path)],
  ['a link to a directory', (path) => symlinkSync(victim(), path)],
  ['a link to a file', (path) => symlinkSync(join(victim(), 'f'), path)],
  ['a FIFO', (path) => execFileSync('mkfifo', [path])],
  ['an empty directory', (path) => mkdirSync(path)],
  ['a directory with other things in it', (path) => (mkdirSync(path), writeFileSync(join(path, 'x'), ''))],
  ['a file', (path) => writeFileSync(path, 'x')],
]

test.each(THINGS)(
  'what comes to the name of an entry during its build is set aside: %s',
  async (_name, plant) => {
    const root = scratch()
    const cache = await openCache(root, { strict: true })
    const place = new Layout(root).entry(ID)
    const entry = await cache.getOrCompile('key', (stage) => {
      fill(stage)
      mkdirSync(dirname(place))
      plant(place)
    })
    expect(contentOf(entry.path)).toBe('ours')
    expect(lstatSync(place).isDirectory()).toBe(true)
    expect(leftIn(root)).toEqual([])
  },
)

describe('what a build leaves:', () => {
  test.each<[string, (dir: string) => void]>([
    ['a link that leads out', (dir) => symlinkSync('/etc/passwd', join(dir, 'l'))],
    ['a relative link that leads out', (dir) => symlinkSync('../../x', join(dir, 'l'))],
    ['a FIFO', (dir) => execFileSync('mkfifo', [join(dir, 'p')])],
    ['nothing', (dir) => rmSync(join(dir, 'f'))],
  ])('%s is BUILD_INVALID, and no reason to compile again privately', async (_name, spoil) => {
    const root = scratch()
    const cache = await openCache(root)
    let builds = 0
    const build = (stage: { dir: string }): void => {
      builds++
      fill(stage)
      spoil(stage.dir)
    }
    await expect(cache.getOrCompile('key', build)).rejects.toMatchObject({
      code: 'BUILD_INVALID',
      hint: /\w/,
    })
    expect(builds).toBe(1)
    expect(leftIn(root)).toEqual([])
  })
})

test.each(THINGS.filter(([name]) => !/^an? (empty )?directory/.test(name)))(
  'at the target of writeDirectory it is TARGET_UNUSABLE, before the filling: %s',
  async (_name, plant) => {
    const path = join(scratch(), 'target')
    plant(path)
    const before = lstatSync(path)
    let filled = 0
    for (const ifExists of ['keep', 'replace'] as const) {
      await expect(writeDirectory(path, () => void filled++, { ifExists })).rejects.toMatchObject({
        code: 'TARGET_UNUSABLE',
      })
    }
    expect(filled).toBe(0)
    expect(lstatSync(path).ino).toBe(before.ino)
  },
)
