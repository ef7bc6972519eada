/** One file, written whole: beside the bare calls, and what others do. */
import fs from 'node:fs'
import { rename, writeFile as plainWriteFile } from 'node:fs/promises'
import { join } from 'node:path'
import cacache from 'cacache'
import writeFileAtomic from 'write-file-atomic'
import { writeFile } from '../../src/index.js'
import type { Context } from '../context.js'
import type { Size } from '../groups/publish.js'
import { type Contender, measure, micros, microsSync } from '../measure.js'
import { publishFile as rawPublish, publishFileInPool, syncPath } from '../raw.js'
import type { Table } from '../report.js'

/** `times` files, the n-th at `target(n)`; microseconds each. */
type Publish = (target: (index: number) => string, times: number) => Promise<number> | number

export async function publishFile({ dir, quick }: Context, size: Size): Promise<Table> {
  const bytes = Buffer.alloc(size.bytes, 'payload ')
  const times = quick ? 1 : size.times
  const inOwnDirectory = (name: string, role: Contender['role'], publish: Publish): Contender => {
    const parent = join(dir, `${size.label}-${name}`.replace(/\W+/g, '-'))
    fs.mkdirSync(parent)
    const target = (index: number): string => join(parent, `graph-${index}.bin`)
    return {
      name,
      role,
      sample: async () => (await publish(target, times)) / 1000,
      rest: () => clear(parent),
    }
  }
  const eachByItself =
    (write: (path: string) => unknown): Publish =>
    (target, count) =>
      micros(count, (index) => write(target(index)))
  return measure({
    title: `One file of ${size.label}`,
    unit: 'ms',
    rounds: quick ? 3 : size.rounds,
    // The first writes go to blocks that a thin disk has yet to find: up to ten times slower here, whoever writes.
    warmUp: quick ? 1 : 3,
    contenders: [
      inOwnDirectory(
        'writeFile',
        'ours',
        eachByItself((path) => writeFile(path, bytes)),
      ),
      inOwnDirectory('open, write, fsync, rename, fsync of the parent', 'floor', (target, count) =>
        microsSync(count, (index) => rawPublish(`${target(index)}.new`, target(index), bytes)),
      ),
      inOwnDirectory(
        'the same calls, fsync in libuv’s pool',
        'other',
        eachByItself((path) => publishFileInPool(`${path}.new`, path, bytes)),
      ),
      inOwnDirectory(
        'write-file-atomic (fsync of the file only)',
        'other',
        eachByItself((path) => writeFileAtomic(path, bytes)),
      ),
      inOwnDirectory(
        'cacache.put (hashed, no fsync)',
        'other',
        eachByItself((path) => cacache.put(path, 'graph', bytes)),
      ),
      inOwnDirectory(
        'fs.writeFile + rename, no fsync',
        'other',
        eachByItself(async (path) => {
          await plainWriteFile(`${path}.new`, bytes)
          await rename(`${path}.new`, path)
        }),
      ),
    ],
  })
}

/** All but our own books, which stay beside the target. */
function clear(parent: string): void {
  for (const name of fs.readdirSync(parent).filter((left) => left.startsWith('graph')))
    fs.rmSync(join(parent, name), { recursive: true })
  // The journal's part in the removal is not the next contender's.
  syncPath(parent)
}
