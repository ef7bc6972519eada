/** Every place that the library touches, by what stands there: where a neighbour may plant something else. */
import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import { sha256 } from '../../src/host/hash.js'
import { slotPath } from '../../src/latch/slot-claims.js'
import { realHost } from '../../src/host/host.js'
import { Layout, lockName } from '../../src/store/layout.js'
import { TESTED_NAMESPACE } from '../support/slot-workers.js'
import type { World } from './world.js'

export interface Place {
  name: string
  /** In the cache, or beside a path that is written. */
  kind: 'cache' | 'beside'
  path: string
  /** The same place in the directory outside. */
  like: string
}

const TOKEN = '0123456789abcdef'.repeat(2)
const WARM = sha256('"warm"')
const COLD = sha256('"cold"')
const FAILED = sha256('"failed"')

/** Call it when the world is as it was built. */
export function placesOf(world: World): Place[] {
  const inCache = placesIn(new Layout(world.root), world)
  const inBooks = booksAt(join(world.targets, '.cachelatch'), lockName('target'))
  const list = (kind: Place['kind'], from: string, paths: Record<string, string>): Place[] =>
    Object.entries(paths).map(([name, path]) => ({
      name,
      kind,
      path,
      like: world.outside + path.slice(from.length),
    }))
  return [...list('cache', world.root, inCache), ...list('beside', world.targets, inBooks)]
}

function placesIn(layout: Layout, world: World): Record<string, string> {
  const { name: namespace } = TESTED_NAMESPACE
  const host = realHost()
  const slot = slotPath({ host, layout, locker: { kind: world.locker } }, namespace, 0)
  const slotLock = layout.lock(`slot-${sha256(slot.slice(layout.root.length)).slice(0, 32)}`)
  const home = layout.snapshot(namespace)
  const shelf = readdirSync(home.entries)[0]!
  const unit = join(home.entries, shelf, readdirSync(join(home.entries, shelf))[0]!)
  const entry = layout.entry(WARM)
  const stats = readdirSync(layout.stats)[0]!
  return {
    v1: layout.top,
    'format.json': layout.format,
    locks: layout.locks,
    'a lock file': `${layout.lock(COLD)}.lock`,
    'the lock file of an entry': `${layout.lock(WARM)}.lock`,
    'the lock file of a slot': `${slotLock}.lock`,
    'a held directory': `${layout.lock(COLD)}.held`,
    'the held directory of a slot': `${slotLock}.held`,
    'a token in a held directory': `${layout.lock(COLD)}.held/${TOKEN}`,
    'a candidate of a held directory': `${layout.lock(COLD)}.held-${TOKEN}`,
    'an owner record': `${layout.lock(COLD)}.owner.json`,
    'a waiting record': `${layout.lock(COLD)}.waiting.${TOKEN}.json`,
    'a torn record': `${layout.lock(COLD)}.owner.json.${TOKEN}`,
    stage: layout.stage,
    'a stage': layout.staged(TOKEN),
    'a stranger in stage': `${layout.stage}/stranger`,
    entries: layout.entries,
    'a shelf': layout.shelf(WARM),
    'a shelf that is not there': layout.shelf(COLD),
    'a stranger among the shelves': `${layout.entries}/zz`,
    'an entry': entry,
    'an entry that is not there': layout.entry(COLD),
    'a manifest': `${entry}/MANIFEST.json`,
    'the files of an entry': `${entry}/files`,
    'a directory of an entry': `${entry}/files/d`,
    'a file of an entry': `${entry}/files/f`,
    attempts: layout.attempts,
    'an attempt': layout.attempt(FAILED),
    'an attempt that is not there': layout.attempt(COLD),
    pins: layout.pins,
    'a pin': `${layout.pin(WARM, TOKEN)}.held`,
    'a token of a pin': `${layout.pin(WARM, TOKEN)}.held/${TOKEN}`,
    'a closing mark': `${layout.closing(WARM)}.held`,
    trash: layout.trash,
    'what is undecided in the trash': layout.discarded(TOKEN),
    'what is doomed in the trash': layout.discarded(`${TOKEN}.doomed`),
    slots: layout.slots,
    'the slots of a namespace': join(layout.slots, namespace),
    'a slot': slot,
    'a directory in a slot': join(slot, 'groups'),
    'a file in a slot': join(slot, 'singles/s'),
    'the mark of a slot': `${slot}.ended-well.json`,
    snapshots: layout.snapshots,
    'a snapshot': home.entries,
    'a shelf of a snapshot': join(home.entries, shelf),
    'a unit': unit,
    'the manifest of a unit': join(unit, 'MANIFEST.json'),
    'the files of a unit': join(unit, 'files'),
    stats: layout.stats,
    'a file of statistics': join(layout.stats, stats),
    'an old file of statistics': join(layout.stats, `2020-01-01.${'ab'.repeat(6)}.0.ndjson`),
    'a draft of a cache': join(layout.root, `.v1-${TOKEN}`),
  }
}

function booksAt(books: string, name: string): Record<string, string> {
  const layout = new Layout(books)
  return {
    '.cachelatch': books,
    '.cachelatch/v1': layout.top,
    'format.json of .cachelatch': layout.format,
    'locks of .cachelatch': layout.locks,
    'stage of .cachelatch': layout.stage,
    'a lock file of .cachelatch': `${layout.lock(name)}.lock`,
    'a held directory of .cachelatch': `${layout.lock(name)}.held`,
    'an owner record of .cachelatch': `${layout.lock(name)}.owner.json`,
    'what is written to': join(books, '../target'),
    'the directory that is written to': join(books, '../tree'),
  }
}
