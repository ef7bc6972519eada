/** The ways, as the harness sees them. */
import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import { entryPath } from '../../test/support/caches.js'
import type { Need } from '../../test/support/needs.js'

/** From `.build/proof/table`. */
const SOURCES = join(import.meta.dirname, '../../../proof/table')

interface Facts {
  title: string
  /** Where the result is when it is there. */
  result(place: string): string
  /** What a cleaner of old files takes away. */
  locks(place: string): string[]
  command: string[]
  needs: Need[]
}

const MODEL = { result: (place: string) => `${place}/model`, needs: [] }
const byNode = (name: string): string[] => [process.execPath, join(import.meta.dirname, 'ask.js'), name]

export const WAYS = {
  cachelatch: {
    title: 'cachelatch',
    result: (place) => join(entryPath(`${place}/cache`, 'model'), 'files'),
    locks: (place) => {
      const locks = `${place}/cache/v1/locks`
      return readdirSync(locks).map((name) => join(locks, name))
    },
    command: byNode('cachelatch'),
    needs: [],
  },
  bare: { ...MODEL, title: 'no lock, written in place', locks: () => [], command: byNode('bare') },
  'mkdir-lock': {
    ...MODEL,
    title: 'mkdir lock, stale by age; temporary directory, rename',
    locks: (place) => [`${place}/model.lock`],
    command: byNode('mkdir-lock'),
  },
  'write-file-atomic': {
    ...MODEL,
    title: 'write-file-atomic alone',
    locks: () => [],
    command: byNode('write-file-atomic'),
  },
  'proper-lockfile': {
    ...MODEL,
    title: 'proper-lockfile, written in place',
    locks: (place) => [`${place}/model.lock`],
    command: byNode('proper-lockfile'),
  },
  filelock: {
    ...MODEL,
    title: 'Python: filelock, os.replace of each file',
    locks: (place) => [`${place}/model.lock`],
    command: ['python3', join(SOURCES, 'ways/filelock_replace.py')],
    needs: ['python3 with filelock'],
  },
} as const satisfies Record<string, Facts>

export type WayName = keyof typeof WAYS
export const WAY_NAMES = Object.keys(WAYS) as WayName[]
