/** Writing a file or a directory to any path. */
import assert from 'node:assert/strict'
import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { writeDirectory, writeFile } from '../../src/index.js'
import { readCandidate, writeCandidate } from '../support/candidate.js'
import { aside } from '../support/node-fs.js'
import type { Operation } from './operation.js'

const NEW = 'new '.repeat(30_000)

async function* inPieces(): AsyncGenerator<string> {
  for (let start = 0; start < NEW.length; start += 50_000) yield NEW.slice(start, start + 50_000)
}

function ofFile(name: string, { old, stream = false }: { old: string | null; stream?: boolean }): Operation {
  return {
    name,
    goesWell: ['written'],
    orElse: 'error',
    codes: ['LOCK_UNAVAILABLE'],
    async before(root) {
      if (old !== null) writeFileSync(join(root, 'file'), old)
    },
    async arrange(root) {
      const path = join(root, 'file')
      const now = (): string | null => (existsSync(path) ? readFileSync(path, 'utf8') : null)
      return {
        act: async () => {
          await writeFile(path, stream ? inPieces() : NEW, { locker: 'kernel' })
          return 'written'
        },
        async check({ outcome }) {
          assert.ok(
            now() === NEW || (outcome !== 'written' && now() === old),
            'the file is neither old nor new',
          )
          await writeFile(path, 'again', { locker: 'kernel', timeoutMs: 0 })
          assert.equal(now(), 'again')
        },
      }
    },
  }
}

function ofDirectory(
  name: string,
  { old, withoutNative = false }: { old: boolean; withoutNative?: boolean },
): Operation {
  return {
    name,
    goesWell: [old ? 'replaced' : 'written'],
    orElse: 'error',
    codes: ['LOCK_UNAVAILABLE'],
    setting: { withoutNative },
    async arrange(root) {
      const path = join(root, 'directory')
      const write = (name: string) =>
        writeDirectory(path, (dir) => aside(() => writeCandidate(dir, name)), {
          ifExists: 'replace',
          locker: 'kernel',
          timeoutMs: 0,
        })
      if (old) await write('old')
      const now = (): string | null => (existsSync(path) ? readCandidate(path) : null)
      return {
        act: async () => (await write('new')).outcome,
        async check({ error }, fault) {
          const before = old ? 'old' : null
          // The gap between two renames (place.ts), and a disk that from then on takes neither, nor the way back.
          const isInGap = withoutNative && now() === null && fault!.persists
          const isAsBefore = error !== undefined && (now() === before || isInGap)
          assert.ok(now() === 'new' || isAsBefore, `it is ${now()}`)
          await write('again')
          assert.equal(now(), 'again')
        },
      }
    },
  }
}

export const WRITES: readonly Operation[] = [
  ofFile('write a new file', { old: null }),
  ofFile('replace a file', { old: 'old' }),
  ofFile('replace a file by a stream', { old: 'old', stream: true }),
  ofDirectory('write a new directory', { old: false }),
  ofDirectory('replace a directory', { old: true }),
  ofDirectory('replace a directory in two steps', { old: true, withoutNative: true }),
]
