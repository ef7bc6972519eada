/** A directory of a thousand files: with a manifest (getOrCompile) and without (writeDirectory). */
import fs from 'node:fs'
import { join } from 'node:path'
import { openCache, writeDirectory } from '../../src/index.js'
import type { Context } from '../context.js'
import { type Contender, measure, millis } from '../measure.js'
import { syncFiles, syncPath, writeNew } from '../raw.js'
import type { Table } from '../report.js'

const FILES = 1000
const NAMES = Array.from({ length: FILES }, (_, index) => `kernel-${index}.bin`)
const SMALL = Buffer.alloc(1024, 'payload ')
/** As many fsyncs at a time as the library has: libuv's threads. */
const CONCURRENCY = 4

export async function publishDirectory({ dir, quick }: Context): Promise<Table> {
  const parent = join(dir, 'directories')
  fs.mkdirSync(parent)
  const cache = await openCache(join(parent, 'cache'), { strict: true })
  let serial = 0
  /** `publish` returns what is to be removed afterwards. */
  const contender = (
    name: string,
    role: Contender['role'],
    publish: (target: string) => Promise<string>,
  ): Contender => {
    let made = ''
    return {
      name,
      role,
      sample: () => millis(async () => (made = await publish(join(parent, `dir-${serial++}`)))),
      rest() {
        fs.rmSync(made, { recursive: true })
        syncPath(parent)
      },
    }
  }
  return measure({
    title: `A directory of ${FILES} files of 1 KB`,
    unit: 'ms',
    note: `Ours keep ${CONCURRENCY} fsyncs in flight, and so does the floor; getOrCompile also hashes every file, writes a manifest, and looks the entry up.`,
    rounds: quick ? 2 : 7,
    contenders: [
      contender('writeDirectory', 'ours', async (target) => (await writeDirectory(target, fill), target)),
      contender('getOrCompile', 'ours', async (target) => {
        const entry = await cache.getOrCompile(target, ({ dir: stage }) => fill(stage))
        await entry.release()
        return join(entry.path, '..')
      }),
      contender(`write, fsync (${CONCURRENCY} at a time), rename, fsync of the parent`, 'floor', (target) =>
        rawDirectory(target, CONCURRENCY),
      ),
      contender('the same, one fsync after the other', 'other', (target) => rawDirectory(target, 1)),
    ],
  })
}

function fill(directory: string): void {
  for (const name of NAMES) writeNew(`${directory}/${name}`, SMALL, false)
}

async function rawDirectory(target: string, concurrency: number): Promise<string> {
  fs.mkdirSync(`${target}.new`)
  fill(`${target}.new`)
  await syncFiles(`${target}.new`, NAMES, concurrency)
  fs.renameSync(`${target}.new`, target)
  syncPath(join(target, '..'))
  return target
}
