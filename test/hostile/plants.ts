/** What a neighbour may plant, each of it at any place. */
import { execFileSync } from 'node:child_process'
import {
  closeSync,
  ftruncateSync,
  lchownSync,
  linkSync,
  lstatSync,
  mkdirSync,
  openSync,
  readdirSync,
  renameSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { dirname, join } from 'node:path'
import type { Place } from './places.js'
import { LINKED, type World } from './world.js'

export type Plant = (place: Place, world: World) => void

const text =
  (content: string | Buffer): Plant =>
  ({ path }) =>
    writeFileSync(path, content)

const deep = (levels: number): string => '['.repeat(levels) + ']'.repeat(levels)

export const PLANTS: Record<string, Plant> = {
  'a link to its like in another cache': ({ path, like }) => symlinkSync(like, path),
  'a link to a directory': ({ path }, { outside }) => symlinkSync(outside, path),
  'a link to a directory of documents': ({ path }, { outside }) => symlinkSync(join(outside, 'docs'), path),
  'a link to a file': ({ path }, { outside }) => symlinkSync(join(outside, LINKED), path),
  'a link to nowhere': ({ path }, { outside }) => symlinkSync(join(outside, 'nothing'), path),
  'a link to itself': ({ path }) => symlinkSync(path, path),
  'a hard link': ({ path }, { outside }) => linkSync(join(outside, LINKED), path),
  'a FIFO': ({ path }, world) =>
    renameSync(
      ready('fifo', world, (paths) => void execFileSync('mkfifo', paths)),
      path,
    ),
  'a socket': ({ path }, world) =>
    renameSync(
      ready('socket', world, (paths) => void execFileSync('python3', ['-c', BIND, ...paths])),
      path,
    ),
  'an empty directory': ({ path }) => mkdirSync(path),
  'a directory of other things': ({ path }, { outside }) => {
    mkdirSync(path)
    writeFileSync(join(path, 'thing'), 'x')
    symlinkSync(outside, join(path, 'link'))
    symlinkSync(outside, join(path, 'ab'))
    symlinkSync(outside, join(path, '000'))
    symlinkSync(outside, join(path, '0123456789abcdef'.repeat(2)))
  },
  'an empty file': text(''),
  'bytes that are no text': text(Buffer.from(Array.from({ length: 512 }, (_, n) => n % 256))),
  'JSON with a prototype': text(
    '{"__proto__":{"polluted":1},"constructor":{"prototype":{"polluted":1}},"schema":1}\n',
  ),
  'JSON nested 100 000 deep': text(deep(100_000)),
  'JSON with numbers that are none': text(
    '{"schema":1,"at":1e999,"since":-1e999,"pid":1e999,"crashes":-1,"locker":"kernel","epoch":"","staleMs":1e999}',
  ),
  'a file of 1 GB': ({ path }) => {
    const fd = openSync(path, 'w')
    ftruncateSync(fd, 1024 ** 3)
    closeSync(fd)
  },
}

/** So many at a time: starting the program that makes them takes as long as twenty cases. */
const BATCH = 64

/** One of those that only a program can make, to be moved to its place. */
function ready(kind: string, world: World, make: (paths: string[]) => void): string {
  const home = join(world.supplies, kind)
  mkdirSync(home, { recursive: true })
  if (readdirSync(home).length === 0) make(Array.from({ length: BATCH }, (_, n) => join(home, `${n}`)))
  return join(home, readdirSync(home)[0]!)
}

/** By short names: the address of a socket has no room for more. */
const BIND = `
import os, socket, sys
for path in sys.argv[1:]:
    os.chdir(os.path.dirname(path))
    socket.socket(socket.AF_UNIX).bind(os.path.basename(path))`

/** `nobody`: another user, where the test may make its plants another's. */
const NEIGHBOUR = 65534

/** In the place of what stands there. */
export function plantAt(place: Place, plant: Plant, world: World): void {
  mkdirSync(dirname(place.path), { recursive: true })
  rmSync(place.path, { recursive: true, force: true })
  plant(place, world)
  // A hard link shares its owner with the file outside.
  if (process.getuid?.() === 0 && lstatSync(place.path).nlink === 1)
    lchownSync(place.path, NEIGHBOUR, NEIGHBOUR)
}
