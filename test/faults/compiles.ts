/** Compiling once, hits, and reading. */
import assert from 'node:assert/strict'
import {
  linkSync,
  mkdirSync,
  readFileSync,
  readdirSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type CacheOptions, type Entry, openCache } from '../../src/index.js'
import { findUnpinned } from '../../src/latch/unpinned.js'
import { entryPath } from '../support/caches.js'
import { readCandidate, writeCandidate } from '../support/candidate.js'
import { aside } from '../support/node-fs.js'
import type { Operation } from './operation.js'

const KEY = { model: 'm' }
/** Named, where how it is chosen is none of the operation's. */
const KERNEL = { locker: 'kernel' } as const
const NETWORK = { locker: 'lockfile' } as const
const inCache = (root: string): string => join(root, 'cache')

const build =
  (name: string) =>
  ({ dir }: { dir: string }): void =>
    aside(() => writeCandidate(dir, name))

/** Reads what was handed out, and lets go of it. */
async function use(entry: Entry): Promise<string> {
  aside(() => readCandidate(entry.path))
  await entry.release()
  return entry.outcome
}

async function fill(root: string, options: CacheOptions): Promise<string> {
  const entry = await (await openCache(inCache(root), options)).getOrCompile(KEY, build('before'))
  await entry.release()
  return entryPath(inCache(root), KEY)
}

interface Compiling {
  options?: CacheOptions
  /** Makes it so before. */
  before?: (root: string, options: CacheOptions) => unknown
  goesWell: readonly string[]
}

/** Strictly an error of the cache is thrown; without, the result is a private one, whatever happens. */
function compiling(name: string, { options = KERNEL, before, goesWell }: Compiling): Operation[] {
  return [false, true].map((strict) => ({
    name: strict ? `${name}, strictly` : name,
    goesWell,
    orElse: strict ? 'error' : 'private',
    codes: ['LOCK_UNAVAILABLE'],
    before: async (root) => before?.(root, options),
    async arrange(root) {
      const compile = async (options: CacheOptions): Promise<string> => {
        const cache = await openCache(inCache(root), options)
        return use(await cache.getOrCompile(KEY, build('now'), { timeoutMs: 0 }))
      }
      return {
        act: () => compile({ ...options, strict }),
        async check({ outcome }) {
          const after = await compile({ ...options, strict: true, check: 'hashes' })
          if (outcome === 'hit' || outcome === 'compiled')
            assert.equal(after, 'hit', 'what was published is lost')
          assert.ok(after === 'hit' || after === 'compiled')
        },
      }
    },
  }))
}

/** Whatever becomes of the one that builds, the other gets a result as well. */
const twoAtOnce: Operation = {
  name: 'compile, two at once',
  goesWell: ['both'],
  orElse: 'one privately',
  async arrange(root) {
    const compileTwice = async (): Promise<string> => {
      const cache = await openCache(inCache(root), KERNEL)
      const entries = await Promise.all(
        ['one', 'other'].map((name) => cache.getOrCompile(KEY, build(name)).then(use)),
      )
      return entries.includes('private') ? 'one privately' : 'both'
    }
    return { act: compileTwice, check: async () => assert.equal(await compileTwice(), 'both') }
  },
}

/** All that can be published: directories, links, modes, a file with two names. */
const tree: Operation = {
  name: 'compile a tree, strictly',
  goesWell: ['compiled', 'hit'],
  orElse: 'error',
  codes: ['LOCK_UNAVAILABLE'],
  async arrange(root) {
    const makeTree = ({ dir }: { dir: string }): void =>
      aside(() => {
        mkdirSync(join(dir, 'deep/er'), { recursive: true })
        writeFileSync(join(dir, 'deep/er/file'), 'content', { mode: 0o640 })
        linkSync(join(dir, 'deep/er/file'), join(dir, 'twin'))
        symlinkSync('deep/er/file', join(dir, 'link'))
      })
    const compile = async (): Promise<string> => {
      const cache = await openCache(inCache(root), { ...KERNEL, strict: true, check: 'hashes' })
      const entry = await cache.getOrCompile(KEY, makeTree, { timeoutMs: 0 })
      for (const file of ['deep/er/file', 'twin', 'link'])
        assert.equal(
          aside(() => readFileSync(join(entry.path, file), 'utf8')),
          'content',
        )
      await entry.release()
      return entry.outcome
    }
    return { act: compile, check: async () => assert.match(await compile(), /^(?:hit|compiled)$/) }
  },
}

const damage = async (root: string, options: CacheOptions): Promise<void> =>
  writeFileSync(join(await fill(root, options), 'files/kernel.bin'), 'damaged')

const reading: Operation[] = [false, true].map((strict) => ({
  name: strict ? 'get, strictly' : 'get',
  // None: with ESTALE, what was just found looks like what was just removed.
  goesWell: ['hit', 'none'],
  orElse: strict ? 'error' : 'none',
  before: (root) => fill(root, KERNEL),
  async arrange(root) {
    const get = async (): Promise<string> => {
      const entry = await (await openCache(inCache(root), { strict })).get(KEY)
      return entry === null ? 'none' : use(entry)
    }
    return { act: get, check: async () => assert.equal(await get(), 'hit') }
  },
}))

/** As `cachelatch once` looks first: whatever goes wrong, it then looks more closely. */
const unpinned: Operation = {
  name: 'find without a pin',
  goesWell: ['hit'],
  orElse: 'none',
  before: (root) => fill(root, KERNEL),
  async arrange(root) {
    const find = async (): Promise<string> => {
      const found = await findUnpinned(inCache(root), KEY)
      if (found !== null) aside(() => readCandidate(found.path))
      return found?.outcome ?? 'none'
    }
    return { act: find, check: async () => assert.equal(await find(), 'hit') }
  },
}

/** Where the cache has been no help from the start, and now the temporary directory is none either. */
const privately: Operation = {
  name: 'compile privately',
  needsTemporary: true,
  goesWell: ['private'],
  orElse: 'error',
  async arrange(root) {
    writeFileSync(inCache(root), 'no directory')
    const compile = async (): Promise<string> =>
      use(await (await openCache(inCache(root))).getOrCompile(KEY, build('now')))
    return {
      act: compile,
      async check() {
        // Not at once: its process might be about to lock it.
        for (const left of readdirSync(tmpdir())) utimesSync(join(tmpdir(), left), 0, 0)
        assert.equal(await compile(), 'private')
      },
    }
  },
}

export const COMPILES: readonly Operation[] = [
  // A hit: what looked like a cache that was removed was looked at once more.
  ...compiling('compile', { goesWell: ['compiled', 'hit'] }),
  ...compiling('compile, the locker chosen', { options: {}, goesWell: ['compiled', 'hit'] }),
  ...compiling('compile on a network', { options: NETWORK, goesWell: ['compiled', 'hit'] }),
  ...compiling('hit', { before: fill, goesWell: ['hit'] }),
  ...compiling('hit, every byte checked', {
    options: { ...KERNEL, check: 'hashes' },
    before: fill,
    goesWell: ['hit', 'compiled'],
  }),
  ...compiling('hit on a network', { options: NETWORK, before: fill, goesWell: ['hit'] }),
  ...compiling('compile what is damaged', { before: damage, goesWell: ['compiled', 'hit'] }),
  twoAtOnce,
  tree,
  ...reading,
  unpinned,
  privately,
]
