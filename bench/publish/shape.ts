/** Entries of any shape, published and looked up, beside the bare calls: what the groups of sizes and files have. */
import fs from 'node:fs'
import { join } from 'node:path'
import { openCache } from '../../src/index.js'
import type { Context } from '../context.js'
import { type Contender, micros, microsSync, millis } from '../measure.js'
import { lookUp, syncFiles, syncPath } from '../raw.js'
import type { Scaling } from '../report.js'
import { measureScaling } from '../scale.js'

export interface Shape {
  files: number
  fileBytes: number
  rounds: number
}

const BLOCK = Buffer.alloc(16 * 1024 * 1024, 'payload ')
/** As many fsyncs at a time as the library has: libuv's threads. */
const CONCURRENCY = 4
const NOTES = {
  publish:
    'The build writes the files and nothing else. Ours hashes every byte; the floor makes the same calls and fsyncs, and hashes nothing.',
  hit: 'The entry is there, and every file of it is looked at.',
}

/** Two pictures of the same shapes: publishing, and a hit. */
export async function publishAndHit(
  context: Context,
  labels: Pick<Scaling, 'along' | 'alongBytes'> & { of: string; place: (shape: Shape) => number },
  shapes: Shape[],
): Promise<Scaling[]> {
  const { of, place, ...along } = labels
  const prepared = new Map<number, Promise<Prepared>>()
  const at = (where: number): Promise<Prepared> => {
    const shape = shapes.find((candidate) => place(candidate) === where)!
    if (!prepared.has(where)) prepared.set(where, prepare(join(context.dir, String(where)), shape))
    return prepared.get(where)!
  }
  const roundsAt = (where: number): number => {
    const { rounds } = shapes.find((candidate) => place(candidate) === where)!
    return context.quick ? Math.min(rounds, 2) : rounds
  }
  // Those that take half a minute each: once.
  const warmUpAt = (where: number): number => (roundsAt(where) > 1 ? 1 : 0)
  const places = shapes.map(place)
  const publish = await measureScaling({
    ...along,
    title: `Publishing an entry of ${of}`,
    unit: 'ms',
    note: NOTES.publish,
    at: places,
    roundsAt,
    warmUpAt,
    contendersAt: async (where) => {
      context.say(`${of}: ${where}`)
      return (await at(where)).publish
    },
  })
  const hit = await measureScaling({
    ...along,
    title: `A hit of an entry of ${of}`,
    unit: 'µs',
    note: NOTES.hit,
    at: places,
    roundsAt: (where) => Math.max(roundsAt(where), 5),
    contendersAt: async (where) => (await at(where)).hit(),
  })
  return [publish, hit]
}

interface Prepared {
  publish: Contender[]
  hit: () => Contender[]
}

/** The first entry that is published stays, for the hits. */
async function prepare(dir: string, shape: Shape): Promise<Prepared> {
  fs.mkdirSync(dir, { recursive: true })
  const cache = await openCache(join(dir, 'cache'), { strict: true })
  const names = Array.from({ length: shape.files }, (_, index) => `kernel-${index}.bin`)
  const fill = (into: string): void => names.forEach((name) => writeBlocks(join(into, name), shape.fileBytes))
  let published = 0
  let made = ''
  let kept = ''
  const compile = async (): Promise<void> => {
    const entry = await cache.getOrCompile(published++, ({ dir: stage }) => fill(stage))
    made = join(entry.path, '..')
    await entry.release()
  }
  const remove = (path: string): void => {
    fs.rmSync(path, { recursive: true })
    syncPath(dir)
  }
  const raw = join(dir, 'raw')
  const hits = Math.max(1, Math.round(1000 / shape.files))
  const hit = async (): Promise<void> => (await cache.getOrCompile(0, neverBuilt)).release()
  return {
    publish: [
      {
        name: 'getOrCompile',
        role: 'ours',
        sample: () => millis(compile),
        rest: () => (kept === '' ? void (kept = made) : remove(made)),
      },
      {
        name: 'write, fsync, rename, fsync of the parent',
        role: 'floor',
        sample: () => millis(() => publishByHand(raw, names, fill)),
        rest: () => remove(raw),
      },
    ],
    hit: () => [
      { name: 'getOrCompile + release', role: 'ours', sample: () => micros(hits, hit) },
      {
        name: 'open, fstat, read, parse, close, one lstat a file',
        role: 'floor',
        sample: () => microsSync(hits, () => lookUp(kept)),
      },
    ],
  }
}

async function publishByHand(target: string, names: string[], fill: (into: string) => void): Promise<void> {
  fs.mkdirSync(`${target}.new`)
  fill(`${target}.new`)
  await syncFiles(`${target}.new`, names, Math.min(CONCURRENCY, names.length))
  fs.renameSync(`${target}.new`, target)
  syncPath(join(target, '..'))
}

function writeBlocks(path: string, bytes: number): void {
  const fd = fs.openSync(path, 'wx')
  for (let done = 0; done < bytes;) done += fs.writeSync(fd, BLOCK, 0, Math.min(BLOCK.length, bytes - done))
  fs.closeSync(fd)
}

function neverBuilt(): never {
  throw new Error('The entry that was to be hit is gone.')
}
