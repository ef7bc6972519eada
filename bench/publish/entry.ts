/** An entry of one file: a directory with a manifest, every byte of it hashed. */
import { createHash } from 'node:crypto'
import fs from 'node:fs'
import { join } from 'node:path'
import { openCache } from '../../src/index.js'
import type { Context } from '../context.js'
import type { Size } from '../groups/publish.js'
import { type Contender, measure, micros, microsSync } from '../measure.js'
import { publishEntry as rawPublish, syncPath, writeNew } from '../raw.js'
import type { Table } from '../report.js'

export async function publishEntry({ dir, quick }: Context, size: Size): Promise<Table> {
  const bytes = Buffer.alloc(size.bytes, 'payload ')
  const times = quick ? 1 : size.times
  const parent = join(dir, `entries-of-${size.bytes}`)
  fs.mkdirSync(parent)
  const cache = await openCache(join(parent, 'cache'), { strict: true })
  let serial = 0
  let made: string[] = []
  const compile = async (): Promise<void> => {
    const entry = await cache.getOrCompile({ serial: serial++ }, ({ dir: stage }) =>
      writeNew(join(stage, 'graph.bin'), bytes, false),
    )
    made.push(join(entry.path, '..'))
    await entry.release()
  }
  const byHand = (hash: (content: Uint8Array) => string) => (): void => {
    const target = join(parent, `raw-${serial++}`)
    rawPublish(`${target}.new`, target, bytes, (content) => JSON.stringify({ sha256: hash(content) }))
    made.push(target)
  }
  const rest = (): void => {
    made.forEach((path) => fs.rmSync(path, { recursive: true }))
    made = []
    syncPath(parent)
  }
  const contenders: Contender[] = [
    { name: 'getOrCompile', role: 'ours', sample: async () => (await micros(times, compile)) / 1000, rest },
    {
      name: 'mkdir, write, manifest, fsync of both, of both directories, rename, fsync of the parent',
      role: 'floor',
      sample: () =>
        microsSync(
          times,
          byHand(() => 'not looked at'),
        ) / 1000,
      rest,
    },
    {
      name: 'the same, with SHA-256 in the calling thread',
      role: 'other',
      sample: () => microsSync(times, byHand(hashed)) / 1000,
      rest,
    },
  ]
  return measure({
    title: `An entry of one file of ${size.label}`,
    unit: 'ms',
    note: 'The build writes the file and nothing else. Ours also takes the lock, notes the attempt, and looks the entry up.',
    rounds: quick ? 3 : size.rounds,
    warmUp: quick ? 1 : 3,
    contenders,
  })
}

function hashed(bytes: Uint8Array): string {
  return createHash('sha256').update(bytes).digest('hex')
}
