/** Publishing: one file of three sizes, and a directory of a thousand files. */
import fs from 'node:fs'
import { rename, writeFile as plainWriteFile } from 'node:fs/promises'
import { join } from 'node:path'
import writeFileAtomic from 'write-file-atomic'
import { openCache, writeDirectory, writeFile } from '../../src/index.js'
import type { Context } from '../context.js'
import { type Contender, measure, micros, microsSync } from '../measure.js'
import { publishFile, publishFileInPool, syncFiles, syncPath, writeNew } from '../raw.js'
import { type Group, type Table, atMost, ratioOf } from '../report.js'

const KIB = 1024
const MIB = 1024 * KIB
const SIZES = [
  { label: '1 KB', bytes: KIB, times: 20, rounds: 20, limit: 1.2 },
  { label: '1 MB', bytes: MIB, times: 5, rounds: 20, limit: 1.2 },
  { label: '256 MB', bytes: 256 * MIB, times: 1, rounds: 7, limit: 1.05 },
]
const FILES = 1000
/** As many fsyncs at a time as the library has: libuv's threads. */
const CONCURRENCY = 4

export async function publishGroup(context: Context): Promise<Group> {
  const group: Group = { name: 'publish', tables: [], aims: [] }
  for (const size of SIZES) {
    const table = await publishOneFile(context, size)
    group.tables.push(table)
    group.aims.push(
      atMost(`a ${size.label} file, to the same calls`, ratioOf(table, 'writeFile'), size.limit),
    )
  }
  const table = await publishDirectory(context)
  group.tables.push(table)
  for (const name of ['writeDirectory', 'getOrCompile'])
    group.aims.push(atMost(`${name} of ${FILES} files, to the same calls`, ratioOf(table, name), 1.2))
  return group
}

type Size = (typeof SIZES)[number]

async function publishOneFile({ dir, quick, say }: Context, size: Size): Promise<Table> {
  const bytes = Buffer.alloc(size.bytes, 'payload ')
  const times = quick ? 1 : size.times
  const inOwnDirectory = (name: string, role: Contender['role'], publish: Publish): Contender => {
    const parent = join(dir, `${size.label}-${name}`.replace(/\W+/g, '-'))
    fs.mkdirSync(parent)
    const target = (index: number): string => join(parent, `graph-${index}.bin`)
    return {
      name,
      role,
      sample: async () => (await publish(times, target, bytes)) / 1000,
      rest() {
        for (let index = 0; index < times; index++) fs.unlinkSync(target(index))
        // The journal's part in the removal is not the next contender's.
        syncPath(parent)
      },
    }
  }
  say(`a file of ${size.label}`)
  return measure({
    title: `One file of ${size.label}`,
    unit: 'ms',
    rounds: quick ? 3 : size.rounds,
    // The first writes go to blocks that a thin disk has yet to find: up to ten times slower here, whoever writes.
    warmUp: quick ? 1 : 3,
    contenders: [
      inOwnDirectory('writeFile', 'ours', (times, target) =>
        micros(times, (index) => writeFile(target(index), bytes)),
      ),
      inOwnDirectory('open, write, fsync, rename, fsync of the parent', 'floor', (times, target) =>
        microsSync(times, (index) => publishFile(`${target(index)}.new`, target(index), bytes)),
      ),
      inOwnDirectory('the same calls, fsync in libuv’s pool', 'other', (times, target) =>
        micros(times, (index) => publishFileInPool(`${target(index)}.new`, target(index), bytes)),
      ),
      inOwnDirectory('write-file-atomic (fsync of the file only)', 'other', (times, target) =>
        micros(times, (index) => writeFileAtomic(target(index), bytes)),
      ),
      inOwnDirectory('fs.writeFile + rename, no fsync', 'other', (times, target) =>
        micros(times, async (index) => {
          await plainWriteFile(`${target(index)}.new`, bytes)
          await rename(`${target(index)}.new`, target(index))
        }),
      ),
    ],
  })
}

type Publish = (
  times: number,
  target: (index: number) => string,
  bytes: Uint8Array,
) => Promise<number> | number

const NAMES = Array.from({ length: FILES }, (_, index) => `kernel-${index}.bin`)
const SMALL = Buffer.alloc(KIB, 'payload ')

function fill(directory: string): void {
  for (const name of NAMES) writeNew(`${directory}/${name}`, SMALL, false)
}

async function publishDirectory({ dir, quick, say }: Context): Promise<Table> {
  const parent = join(dir, 'directories')
  fs.mkdirSync(parent)
  const cache = await openCache(join(parent, 'cache'), { strict: true })
  let serial = 0
  const contender = (
    name: string,
    role: Contender['role'],
    publish: (target: string) => Promise<string>,
  ): Contender => {
    let made = ''
    return {
      name,
      role,
      sample: () =>
        micros(1, async () => (made = await publish(join(parent, `dir-${serial++}`)))).then(
          (us) => us / 1000,
        ),
      rest() {
        fs.rmSync(made, { recursive: true })
        syncPath(parent)
      },
    }
  }
  say(`a directory of ${FILES} files`)
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

async function rawDirectory(target: string, concurrency: number): Promise<string> {
  fs.mkdirSync(`${target}.new`)
  fill(`${target}.new`)
  await syncFiles(`${target}.new`, NAMES, concurrency)
  fs.renameSync(`${target}.new`, target)
  syncPath(join(target, '..'))
  return target
}
